//! Templates with variables: no panic, places inside the text, and no growth beyond what the variables can give.
#![no_main]

use std::borrow::Cow;

use compose::spec::interpolate::{Lookup, substitute};
use compose::spec::tree::VariableSource;
use libfuzzer_sys::fuzz_target;

/// `A` to `E` are set, the third one to nothing; all others are not.
struct Five;

impl Lookup for Five {
    fn get(&self, name: &str) -> Option<(Cow<'_, str>, VariableSource)> {
        let value = match name {
            "A" => "1",
            "B" => "two words",
            "C" => "",
            "D" => "$A ${B}",
            "E" => "é\n\"'\\",
            _ => return None,
        };
        Some((value.into(), VariableSource::Shell))
    }
}

fuzz_target!(|text: &str| {
    match substitute(text, &Five) {
        Ok(done) => {
            assert!(done.text.len() <= (text.len() + 1) * 16, "{} bytes became {}", text.len(), done.text.len());
            for (name, part) in done.unset {
                assert!(text.get(part.clone()).is_some(), "{part:?} of {name} is no part of the text");
            }
            if !text.contains('$') {
                assert_eq!(done.text, text);
            }
        }
        Err(error) => {
            assert!(text.get(error.at.clone()).is_some(), "{:?} is no part of the text", error.at);
            assert!(!error.to_string().is_empty());
        }
    }
});
