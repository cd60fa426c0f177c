//! TLS to an engine, with the certificates that docker's tools lay out: `ca.pem`, `cert.pem`, `key.pem`.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::runtime::docker::connection::unsupported;
use crate::runtime::docker::endpoint::TlsFiles;

/// Speaks TLS over a connection.
pub(super) async fn secure(stream: TcpStream, authority: &str, files: &TlsFiles) -> io::Result<TlsStream<TcpStream>> {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(|error| refused(&error.to_string()))?;
    let config = config(files)?;
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    connected.map_err(|error| {
        let place = files.directory.display();
        io::Error::new(error.kind(), format!("TLS with the certificates in {place}: {error}"))
    })
}

fn config(files: &TlsFiles) -> io::Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error.to_string()))?;
    let builder = if files.verify {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&files.directory.join("ca.pem"))? {
            roots.add(certificate).map_err(|error| refused(&format!("ca.pem: {error}")))?;
        }
        builder.with_root_certificates(roots)
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(provider)))
    };
    let (certificate, key) = (files.directory.join("cert.pem"), files.directory.join("key.pem"));
    if !certificate.exists() {
        return Ok(builder.with_no_client_auth());
    }
    let chain = certificates(&certificate)?;
    let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| refused(&format!("{}: {error}", key.display())))?;
    builder.with_client_auth_cert(chain, key).map_err(|error| refused(&format!("{}: {error}", certificate.display())))
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let failed = |error: &dyn std::fmt::Display| refused(&format!("{}: {error}", path.display()));
    let found = CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))?;
    let found = found.collect::<Result<Vec<_>, _>>().map_err(|error| failed(&error))?;
    if found.is_empty() { Err(failed(&"no certificate in it")) } else { Ok(found) }
}

fn refused(detail: &str) -> io::Error {
    unsupported(&format!("TLS can not be set up: {detail}"))
}

/// Takes any certificate, as `DOCKER_TLS` without `DOCKER_TLS_VERIFY` and contexts with `SkipTLSVerify` ask for.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let files = |verify| TlsFiles { directory: directory.path().to_owned(), verify };
        let error = config(&files(true)).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("ca.pem"), "{error}");
        assert!(config(&files(false)).is_ok());
        std::fs::write(directory.path().join("cert.pem"), "nonsense").unwrap();
        assert!(config(&files(false)).map(|_| ()).unwrap_err().to_string().contains("no certificate in it"));
    }
}
