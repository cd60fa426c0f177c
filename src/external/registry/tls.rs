//! Which certificates registries are trusted by: those of the system, and those that docker was told to trust.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::Error as Tls;
use tokio_rustls::rustls::crypto::ring;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Where docker's engine looks for the authorities of single registries.
const DOCKER_CERTIFICATES: &str = "/etc/docker/certs.d";

/// TLS for one registry. The system's certificates are read here and nowhere else: most commands never need them.
pub(super) fn config(host: &str) -> TlsConfig {
    let mut certificates: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect();
    certificates.extend(of_docker(Path::new(DOCKER_CERTIFICATES), host));
    TlsConfig::builder()
        .root_certs(RootCerts::from(certificates))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build()
}

/// The authorities in `<directory>/<host>/*.crt`.
fn of_docker(directory: &Path, host: &str) -> Vec<Certificate<'static>> {
    let files = std::fs::read_dir(directory.join(host)).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "crt"));
    let texts: Vec<Vec<u8>> = files.filter_map(|path| std::fs::read(path).ok()).collect();
    let items = texts.iter().flat_map(|text| parse_pem(text)).flatten();
    items
        .filter_map(|item| if let PemItem::Certificate(certificate) = item { Some(certificate) } else { None })
        .collect()
}

/// Whether a connection failed because the other side is not trusted.
pub(super) fn is_about_certificates(error: &ureq::Error) -> bool {
    let certificate = |error: &Tls| matches!(error, Tls::InvalidCertificate(_));
    match error {
        ureq::Error::Rustls(error) => certificate(error),
        ureq::Error::Io(error) => {
            error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>()).is_some_and(certificate)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    #[test]
    fn only_the_authorities_of_this_registry_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let of = |host: &str| directory.path().join(host);
        std::fs::create_dir_all(of("r.example:5000")).unwrap();
        std::fs::write(of("r.example:5000").join("ca.crt"), CERTIFICATE.repeat(2)).unwrap();
        std::fs::write(of("r.example:5000").join("client.cert"), CERTIFICATE).unwrap();
        std::fs::write(of("r.example:5000").join("bad.crt"), "nonsense").unwrap();
        assert_eq!(of_docker(directory.path(), "r.example:5000").len(), 2);
        assert_eq!(of_docker(directory.path(), "r.example").len(), 0);
    }
}
