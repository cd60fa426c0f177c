//! What must not be shown: which names sound like secrets, which values hold a login.

/// Words that make a name secret.
const SECRET_WORDS: [&str; 13] = [
    "apikey",
    "credential",
    "credentials",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pw",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
];
/// Kinds of keys that open something.
const KEYS: [&str; 8] = ["access", "account", "api", "encryption", "master", "private", "secret", "signing"];
/// Last words that make a name harmless: it speaks about a secret and is none.
const HARMLESS: [&str; 27] = [
    "age",
    "algorithm",
    "attempts",
    "count",
    "dir",
    "duration",
    "enabled",
    "endpoint",
    "expiration",
    "expires",
    "expiry",
    "file",
    "files",
    "header",
    "host",
    "id",
    "interval",
    "length",
    "lifetime",
    "method",
    "mode",
    "name",
    "path",
    "timeout",
    "ttl",
    "type",
    "url",
];

/// Whether a variable, label or argument of this name may hold a secret: rather one too many, for what is not shown.
pub(in crate::spec) fn is_key(name: &str) -> bool {
    let lower = name.to_lowercase();
    let words = words(&lower);
    let Some(last) = words.last() else { return false };
    !HARMLESS.contains(last)
        && words != ["pwd"]
        && (words.iter().any(|word| *word == "auth" || is_secret_word(word)) || words.windows(2).any(is_key_pair))
}

/// Whether a name says that it is a secret, rather one too few, for what is told: `DB_PASSWORD`, not
/// `PASSWORD_ENCODER_CLASS`.
pub(in crate::spec) fn is_secret_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    let mut words = words(lower.trim_end_matches(|last: char| last.is_ascii_digit()));
    if words.last() == Some(&"base") {
        words.pop();
    }
    let Some(last) = words.last() else { return false };
    words != ["pwd"] && (is_secret_word(last) || words.get(words.len().saturating_sub(2)..).is_some_and(is_key_pair))
}

fn words(name: &str) -> Vec<&str> {
    name.split(['_', '-', '.']).filter(|word| !word.is_empty()).collect()
}

fn is_secret_word(word: &str) -> bool {
    SECRET_WORDS.contains(&word)
        || ["password", "passwd", "secret", "token", "apikey"].iter().any(|end| word.ends_with(end))
}

fn is_key_pair(pair: &[&str]) -> bool {
    matches!(pair, [kind, "key"] if KEYS.contains(kind))
}

/// Whether a value is an address with a password: `scheme://user:password@host`.
pub(in crate::spec) fn holds_login(value: &str) -> bool {
    value.match_indices("://").any(|(at, mark)| {
        let rest = value.get(at + mark.len()..).unwrap_or_default();
        let authority = rest.split(['/', '?', '#', ' ', '"', '\'']).next().unwrap_or_default();
        authority
            .rsplit_once('@')
            .and_then(|(login, _)| login.split_once(':'))
            .is_some_and(|(_, password)| !password.is_empty())
    })
}

/// Whether a value shows a secret, whatever it is called: an address with a password, `password=…`.
pub(in crate::spec) fn shows_secret(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let assigned = ["password=", "passwd=", "token=", "secret=", "requirepass ", "requirepass="].iter().any(|mark| {
        lower.match_indices(mark).any(|(at, _)| {
            let rest = lower.get(at + mark.len()..).unwrap_or_default();
            !rest.is_empty() && !rest.starts_with(['$', ' ', '\'', '"', '&', ','])
        })
    });
    assigned || holds_login(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_sound_secret_are_known() {
        for (name, secret) in [
            ("POSTGRES_PASSWORD", true),
            ("PGPASSWORD", true),
            ("MYSQL_ROOT_PASSWORD", true),
            ("github_token", true),
            ("AWS_SECRET_ACCESS_KEY", true),
            ("AWS_ACCESS_KEY", true),
            ("STRIPE_API_KEY", true),
            ("SecretKey", false),
            ("client-secret", true),
            ("POSTGRES_PASSWORD_FILE", false),
            ("TOKEN_TTL", false),
            ("AWS_ACCESS_KEY_ID", false),
            ("PWD", false),
            ("KEY", false),
            ("MONKEY", false),
            ("AUTHOR", false),
            ("", false),
        ] {
            assert_eq!(is_key(name), secret, "{name}");
            assert_eq!(is_secret_name(name), secret, "{name}");
        }
    }

    #[test]
    fn names_that_speak_about_secrets_are_hidden_and_not_told() {
        for name in ["CLIENT_AUTH", "PASSWORD_ENCODER_CLASS", "TOKEN_TTL_SECONDS", "CREDENTIALS_SOURCE"] {
            assert!(is_key(name) && !is_secret_name(name), "{name}");
        }
        for name in ["SECRET_KEY_BASE", "SECRET_KEY2"] {
            assert!(is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn logins_in_addresses_are_known() {
        for (value, login) in [
            ("postgres://user:pw@db:5432/x", true),
            ("amqp://:pw@mq", true),
            ("jdbc:postgresql://u:p@db/x", true),
            ("postgres://user@db/x", false),
            ("http://db:80/a@b:c", false),
            ("redis://u:@db", false),
            ("a:b@c", false),
        ] {
            assert_eq!(holds_login(value), login, "{value}");
        }
    }

    #[test]
    fn secrets_in_values_are_known() {
        for (value, secret) in [
            ("redis-server --requirepass hunter2", true),
            ("username=a,password=hunter2", true),
            ("--password=$PASSWORD", false),
            ("password", false),
            ("/run/secrets/token", false),
        ] {
            assert_eq!(shows_secret(value), secret, "{value}");
        }
    }
}
