//! TLS is checked, always: who signed, and for which host.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::Timestamp;
use sources::{Prometheus, PrometheusSettings};

use crate::mock::clock;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn openssl(folder: &Path, arguments: &str) -> bool {
    Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn serve(folder: &Path, port: u16, certificate: &str) -> Server {
    let child = Command::new("openssl")
        .args([
            "s_server",
            "-quiet",
            "-www",
            "-key",
            "key.pem",
            "-cert",
            certificate,
        ])
        .args(["-accept", &port.to_string()])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Server(child)
}

async fn kind(url: String, ca: Option<&Path>) -> &'static str {
    let settings = PrometheusSettings {
        timeout: Duration::from_secs(3),
        ca_file: ca.map(Path::to_owned),
        ..PrometheusSettings::at(url)
    };
    let client = Prometheus::new(settings, clock()).unwrap();
    for _ in 0..100 {
        let error = client.instant("up", Timestamp::EPOCH).await.unwrap_err();
        if error.kind() != "connect" {
            return error.kind();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    "connect"
}

#[tokio::test]
async fn f20_certificates_are_checked_for_signer_host_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let made = openssl(
        folder.path(),
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE",
    );
    if !made {
        eprintln!("no openssl here");
        return;
    }
    let port = free_port();
    let _server = serve(folder.path(), port, "cert.pem");
    let own = folder.path().join("cert.pem");
    assert_eq!(kind(format!("https://localhost:{port}"), None).await, "tls");
    assert_eq!(
        kind(format!("https://127.0.0.1:{port}"), Some(&own)).await,
        "tls"
    );
    let trusted = kind(format!("https://localhost:{port}"), Some(&own)).await;
    assert_ne!(trusted, "tls");
    assert_ne!(trusted, "connect");

    let expired = free_port();
    expire(folder.path());
    let _server = serve(folder.path(), expired, "expired.pem");
    let own = folder.path().join("expired.pem");
    let url = format!("https://localhost:{expired}");
    assert_eq!(kind(url, Some(&own)).await, "tls");
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A certificate of the same key that was valid for a day in 2020.
fn expire(folder: &Path) {
    let settings = "[ca]\ndefault_ca=c\n[c]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n\
                    default_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n\
                    [e]\nsubjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n";
    std::fs::write(folder.join("ca.cnf"), settings).unwrap();
    std::fs::write(folder.join("index"), "").unwrap();
    std::fs::write(folder.join("serial"), "01\n").unwrap();
    assert!(openssl(
        folder,
        "req -new -key key.pem -out r.pem -subj /CN=localhost"
    ));
    assert!(openssl(
        folder,
        "ca -batch -selfsign -config ca.cnf -keyfile key.pem -in r.pem -out expired.pem -notext -startdate 20200101000000Z -enddate 20200102000000Z",
    ));
}
