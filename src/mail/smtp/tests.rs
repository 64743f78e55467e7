use super::*;
use crate::{
    config::{Password, SmtpLogin, SmtpTls},
    core::retry::RefusalKind::{self, InDoubt, Login, Permanent, Temporary, TooLarge},
};
use mailin::{Action, AuthMechanism, Handler, Response, SessionBuilder, response};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, pem::PemObject},
};
use std::{
    io,
    net::IpAddr,
    sync::{Mutex, mpsc},
};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

const MESSAGE: &[u8] = b"From: a@example.org\r\nSubject: x\r\n\r\n.dot\r\n..\r\nbody \xD0\xB0\r\n";
const ROOT: &[u8] = include_bytes!("../testdata/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../testdata/localhost.pem");
const KEY: &[u8] = include_bytes!("../testdata/localhost.key");

fn client() -> Client {
    let root = CertificateDer::from_pem_slice(ROOT).unwrap();
    let second = Duration::from_secs(20);
    let timeouts = Timeouts { connect: second, command: second, data: second, acceptance: second, quit: second };
    Client::trusting("watch.example.org", [root]).unwrap().with_timeouts(timeouts)
}

fn server(port: u16, tls: SmtpTls, login: bool) -> SmtpServer {
    let login = login.then(|| SmtpLogin { username: "alerts".into(), password: Password::new("s3cret".into()) });
    SmtpServer { host: "localhost".into(), port, tls, login }
}

fn kind(delivery: &Delivery) -> RefusalKind {
    match delivery {
        Delivery::Refused(refusal) => refusal.kind,
        Delivery::Accepted { reply } => panic!("accepted: {reply}"),
    }
}

fn message(delivery: &Delivery) -> &str {
    match delivery {
        Delivery::Refused(refusal) => &refusal.message,
        Delivery::Accepted { reply } => reply,
    }
}

/// Commands and answers.
type Script = &'static [(&'static str, &'static str)];

/// A server that answers by a script: the first entry whose command the line starts with. `""` is the greeting, `"."`
/// the end of the message; the answer `HANG` never comes, `DROP` closes, `FLOOD` has no end.
async fn scripted(script: Script) -> (u16, Arc<Mutex<Vec<String>>>) {
    const USUAL: &[(&str, &str)] = &[
        ("", "220 mail.example.org ESMTP"),
        ("EHLO", "250 mail.example.org"),
        ("MAIL", "250 ok"),
        ("RCPT", "250 ok"),
        ("DATA", "354 go on"),
        (".", "250 2.0.0 queued as 42"),
        ("QUIT", "221 bye"),
    ];
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let (mut line, mut in_data) = (String::new(), false);
        loop {
            let said = line.trim_end().to_owned();
            if !in_data || said == "." {
                let find = |(command, _): &&(&str, &str)| {
                    if command.is_empty() || *command == "." { said == *command } else { said.starts_with(command) }
                };
                let answer = script.iter().chain(USUAL).find(find).map_or("502 what?", |(_, answer)| answer);
                in_data = answer.starts_with("354");
                match answer {
                    "HANG" => std::future::pending().await,
                    "DROP" => return,
                    "FLOOD" => while stream.write_all(&[b'2'; 4096]).await.is_ok() {},
                    "LINES" => while stream.write_all(b"250-\r\n").await.is_ok() {},
                    _ => stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap(),
                }
            }
            line.clear();
            let mut bytes = Vec::new();
            if stream.read_until(b'\n', &mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
            line = String::from_utf8_lossy(&bytes).into_owned();
            log.lock().unwrap().push(line.trim_end().to_owned());
        }
    });
    (port, heard)
}

async fn submit(client: &Client, server: &SmtpServer) -> Delivery {
    let before_data = std::future::ready(Ok(()));
    let (delivery, parting) =
        client.submit(server, "alerts@example.org", "desk@example.org", MESSAGE, before_data).await;
    if let Some(parting) = parting {
        parting.quit().await;
    }
    delivery
}

#[tokio::test]
async fn each_refusal_means_what_the_phase_and_the_code_say() {
    let cases: &[(Script, RefusalKind, &str)] = &[
        (&[("", "421 busy")], Temporary, "the greeting failed: the server said 421 busy"),
        (&[("", "554 you are listed")], Login, "the greeting failed: the server said 554 you are listed"),
        (&[("", "HTTP/1.1 400 Bad Request")], Temporary, "not SMTP"),
        (&[("", "DROP")], Temporary, "closed the connection"),
        (&[("EHLO", "421 4.3.2 shutting down")], Temporary, "EHLO failed: the server said 421 4.3.2 shutting down"),
        (&[("MAIL", "452 4.3.1 full")], Temporary, "MAIL FROM failed: the server said 452 4.3.1 full"),
        (&[("MAIL", "530 5.7.0 log in first")], Login, "log in first"),
        (&[("RCPT", "450 4.2.0 greylisted")], Temporary, "RCPT TO failed: the server said 450 4.2.0 greylisted"),
        (&[("RCPT", "550-5.1.1 no\r\n550 5.1.1 such user")], Permanent, "550 5.1.1 no"),
        (&[("RCPT", "552 5.2.2 full")], Permanent, "552"),
        (&[("RCPT", "DROP")], Temporary, "RCPT TO failed: the server closed the connection"),
        (&[("DATA", "451 later")], Temporary, "DATA failed"),
        (&[("DATA", "250 what")], Temporary, "DATA failed"),
        (&[(".", "451 later")], Temporary, "acceptance after DATA failed: the server said 451 later"),
        (&[(".", "421 going away")], Temporary, "421"),
        (&[(".", "554 5.7.1 spam \u{1b}[31m")], Permanent, "the server said 554 5.7.1 spam [31m"),
        (&[(".", "DROP")], InDoubt, "acceptance after DATA failed: the server closed the connection"),
        (&[(".", "nonsense")], InDoubt, "acceptance"),
        (&[("EHLO", "250-mail\r\n250 SIZE 20")], TooLarge { most: 20 }, "takes at most 20 (SIZE)"),
    ];
    for (script, want, words) in cases {
        let (port, _) = scripted(script).await;
        let delivery = submit(&client(), &server(port, SmtpTls::Off, false)).await;
        assert_eq!(kind(&delivery), *want, "{script:?}: {delivery:?}");
        assert!(message(&delivery).contains(words), "{words}: {delivery:?}");
        assert!(message(&delivery).starts_with(&format!("localhost:{port}: ")), "{delivery:?}");
    }
}

/// Promise P6: no mail server stops the others.
#[tokio::test]
async fn a_server_that_hangs_is_left_at_the_limit_of_the_phase() {
    let cases: &[(Script, RefusalKind)] = &[
        (&[("", "HANG")], Temporary),
        (&[("EHLO", "HANG")], Temporary),
        (&[("MAIL", "HANG")], Temporary),
        (&[("RCPT", "HANG")], Temporary),
        (&[("DATA", "HANG")], Temporary),
        (&[(".", "HANG")], InDoubt),
    ];
    for (script, want) in cases {
        let (port, _) = scripted(script).await;
        // Only the limit that is tried is short: a slow machine must not end another phase.
        let (patient, moment) = (client(), Duration::from_millis(300));
        let timeouts = match want {
            InDoubt => Timeouts { acceptance: moment, ..patient.timeouts },
            _ => Timeouts { command: moment, ..patient.timeouts },
        };
        let delivery = submit(&patient.with_timeouts(timeouts), &server(port, SmtpTls::Off, false)).await;
        assert_eq!(kind(&delivery), *want, "{delivery:?}");
        assert!(message(&delivery).contains("no answer within 0.3 s"), "{delivery:?}");
    }
}

/// Promise P2: the answer to the message is there before QUIT is said, and nothing that comes of QUIT changes it.
#[tokio::test]
async fn a_server_that_fails_at_quit_has_the_mail() {
    for answer in ["HANG", "DROP", "FLOOD", "502 what?"] {
        let script: Script = Box::leak(Box::new([("QUIT", answer)]));
        let (port, heard) = scripted(script).await;
        let client = client();
        let client = client.clone().with_timeouts(Timeouts { quit: Duration::from_millis(300), ..client.timeouts });
        let server = server(port, SmtpTls::Off, false);
        let before_data = std::future::ready(Ok(()));
        let (delivery, parting) =
            client.submit(&server, "alerts@example.org", "desk@example.org", MESSAGE, before_data).await;
        assert_eq!(delivery, Delivery::Accepted { reply: "250 2.0.0 queued as 42".to_owned() });
        assert_eq!(heard.lock().unwrap().last().unwrap(), ".", "{answer}");
        parting.unwrap().quit().await;
        assert_eq!(heard.lock().unwrap().last().unwrap(), "QUIT", "{answer}");
    }
}

/// Promise P2: what is to be recorded before a mail can arrive is recorded before DATA, and after all that may refuse it.
#[tokio::test]
async fn what_comes_before_the_data_may_stop_it() {
    for (script, asked) in
        [(&[][..], true), (&[("RCPT", "550 no")], false), (&[("EHLO", "250-m\r\n250 SIZE 20")], false)]
    {
        let (port, heard) = scripted(Box::leak(Box::from(script))).await;
        let mut was_asked = false;
        let before_data = async {
            was_asked = true;
            Err(Refusal { kind: Temporary, message: "the disk is full".to_owned() })
        };
        let server = server(port, SmtpTls::Off, false);
        let client = client();
        let (delivery, _) =
            client.submit(&server, "alerts@example.org", "desk@example.org", MESSAGE, before_data).await;
        assert_eq!((was_asked, message(&delivery) == "the disk is full"), (asked, asked), "{delivery:?}");
        assert!(!heard.lock().unwrap().iter().any(|line| line == "DATA"));
    }
}

/// Promise P6: no mail server exhausts memory.
#[tokio::test]
async fn a_reply_without_end_is_cut_off() {
    for script in
        [&[("", "FLOOD")], &[("RCPT", "FLOOD")], &[("EHLO", "LINES")], &[("RCPT", "LINES")], &[(".", "LINES")]]
    {
        let (port, _) = scripted(script).await;
        let delivery = submit(&client(), &server(port, SmtpTls::Off, false)).await;
        assert_eq!(kind(&delivery), if script[0].0 == "." { InDoubt } else { Temporary }, "{delivery:?}");
        assert!(message(&delivery).len() < 1000);
    }
}

#[tokio::test]
async fn nobody_listens() {
    let port = TcpListener::bind("localhost:0").await.unwrap().local_addr().unwrap().port();
    let delivery = submit(&client(), &server(port, SmtpTls::Off, false)).await;
    assert_eq!(kind(&delivery), Temporary);
    assert!(message(&delivery).contains("connecting failed"), "{delivery:?}");
}

#[tokio::test]
async fn nothing_is_sent_in_the_clear_where_tls_is_required() {
    for (script, want) in [
        (&[("EHLO", "250-mail\r\n250 AUTH PLAIN")], Login),
        (&[("EHLO", "250-mail\r\n250-AUTH PLAIN\r\n250 STARTTLS")], Login),
    ] {
        let (port, heard) = scripted(script).await;
        let delivery = submit(&client(), &server(port, SmtpTls::StarttlsRequired, true)).await;
        assert_eq!(kind(&delivery), want, "{delivery:?}");
        assert!(message(&delivery).contains("STARTTLS"), "{delivery:?}");
        let heard = heard.lock().unwrap();
        assert!(!heard.iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")), "{heard:?}");
    }
}

#[tokio::test]
async fn starttls_that_is_busy_is_tried_again() {
    let (port, _) = scripted(&[("EHLO", "250-mail\r\n250 STARTTLS"), ("STARTTLS", "454 4.3.0 not now")]).await;
    assert_eq!(kind(&submit(&client(), &server(port, SmtpTls::StarttlsRequired, true)).await), Temporary);
}

#[tokio::test]
async fn sends_one_recipient_the_size_and_escaped_dots() {
    let (port, heard) = scripted(&[("EHLO", "250-mail\r\n250-SIZE 100000\r\n250 8BITMIME")]).await;
    let delivery = submit(&client(), &server(port, SmtpTls::Off, false)).await;
    assert_eq!(message(&delivery), "250 2.0.0 queued as 42");
    assert!(matches!(delivery, Delivery::Accepted { .. }));
    let size = format!("MAIL FROM:<alerts@example.org> SIZE={} BODY=8BITMIME", MESSAGE.len());
    let want = [
        "EHLO watch.example.org",
        &size,
        "RCPT TO:<desk@example.org>",
        "DATA",
        "From: a@example.org",
        "Subject: x",
        "",
        "..dot",
        "...",
        "body а",
        ".",
        "QUIT",
    ];
    assert_eq!(*heard.lock().unwrap(), want);
}

#[tokio::test]
async fn addresses_are_ascii_or_need_an_extension_and_inject_nothing() {
    for (recipient, ehlo, want) in [
        ("desk@пример.испытание", "250 mail", Ok("RCPT TO:<desk@xn--e1afmkfd.xn--80akhbyknj4f>")),
        ("бюро@example.org", "250-mail\r\n250 SMTPUTF8", Ok("RCPT TO:<бюро@example.org>")),
        ("бюро@example.org", "250 mail", Err("SMTPUTF8")),
        ("desk@example.org>\r\nDATA", "250 mail", Err("not a mail address")),
    ] {
        let script: Script = Box::leak(Box::new([("EHLO", ehlo)]));
        let (port, heard) = scripted(script).await;
        let server = server(port, SmtpTls::Off, false);
        let client = client();
        let (delivery, _) =
            client.submit(&server, "alerts@example.org", recipient, b"x\r\n", std::future::ready(Ok(()))).await;
        match want {
            Ok(command) => assert!(heard.lock().unwrap().iter().any(|line| line == command), "{delivery:?}"),
            Err(words) => {
                assert_eq!(kind(&delivery), Permanent);
                assert!(message(&delivery).contains(words), "{delivery:?}");
            }
        }
    }
}

/// What a real server got.
#[derive(Default)]
struct Inbox {
    login: Option<String>,
    mail: Vec<u8>,
    done: Option<mpsc::Sender<(Option<String>, Vec<u8>)>>,
}

impl Handler for Inbox {
    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        response::OK
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.mail.extend_from_slice(bytes);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.done.as_ref().unwrap().send((self.login.clone(), self.mail.clone())).unwrap();
        response::OK
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        self.auth("plain", user, password)
    }

    fn auth_login(&mut self, user: &str, password: &str) -> Response {
        self.auth("login", user, password)
    }
}

impl Inbox {
    fn auth(&mut self, how: &str, user: &str, password: &str) -> Response {
        self.login = Some(how.to_owned());
        if (user, password) == ("alerts", "s3cret") { response::AUTH_OK } else { response::INVALID_CREDENTIALS }
    }
}

/// Serves one connection until the end, or until STARTTLS.
async fn serve<S: AsyncBufRead + AsyncWrite + Unpin>(session: &mut mailin::Session<Inbox>, stream: &mut S) -> bool {
    let mut line = Vec::new();
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
            return false;
        }
        let answer = session.process(&line);
        if answer.action != Action::NoReply && stream.write_all(&answer.buffer().unwrap()).await.is_err() {
            return false;
        }
        let _ = stream.flush().await;
        match answer.action {
            Action::UpgradeTls => return true,
            Action::Close => return false,
            Action::Reply | Action::NoReply => {}
        }
    }
}

type Received = mpsc::Receiver<(Option<String>, Vec<u8>)>;

/// A server with TLS, by STARTTLS or from the first byte, that asks for a login.
async fn real_server(implicit: bool, mechanism: AuthMechanism) -> (u16, Received) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_slice(KEY).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (done, received) = mpsc::channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut builder = SessionBuilder::new("mail.example.org");
        builder.enable_auth(mechanism);
        if !implicit {
            builder.enable_start_tls();
        }
        let inbox = Inbox { done: Some(done), ..Inbox::default() };
        let mut session = builder.build(address.ip(), inbox);
        let greeting = session.greeting().buffer().unwrap();
        let mut stream: TcpStream = stream;
        if !implicit {
            stream.write_all(&greeting).await.unwrap();
            let mut buffered = BufReader::new(stream);
            if !serve(&mut session, &mut buffered).await {
                return;
            }
            stream = buffered.into_inner();
        }
        let Ok(tls) = acceptor.accept(stream).await else { return };
        session.tls_active();
        let mut tls = BufReader::new(tls);
        if implicit {
            tls.write_all(&greeting).await.unwrap();
            tls.flush().await.unwrap();
        }
        serve(&mut session, &mut tls).await;
        // Until the client has read all.
        let _ = tls.read_to_end(&mut Vec::new()).await;
    });
    (address.port(), received)
}

#[tokio::test]
async fn delivers_over_tls_with_a_login() {
    for (implicit, mechanism, name) in [
        (false, AuthMechanism::Plain, "plain"),
        (false, AuthMechanism::Login, "login"),
        (true, AuthMechanism::Plain, "plain"),
        (true, AuthMechanism::Login, "login"),
    ] {
        let tls = if implicit { SmtpTls::Implicit } else { SmtpTls::StarttlsRequired };
        let (port, received) = real_server(implicit, mechanism).await;
        let delivery = submit(&client(), &server(port, tls, true)).await;
        assert!(matches!(&delivery, Delivery::Accepted { reply } if reply.starts_with("250")), "{name}: {delivery:?}");
        let (login, mail) = received.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(login.as_deref(), Some(name));
        assert_eq!(mail, MESSAGE);
    }
}

#[tokio::test]
async fn greets_and_says_what_the_server_said() {
    let (port, _received) = real_server(false, AuthMechanism::Plain).await;
    let said = client().greet(&server(port, SmtpTls::StarttlsRequired, true)).await.unwrap();
    for words in ["220 mail.example.org", "TLSv1", "logged in as alerts by PLAIN"] {
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_a_refused_login_and_is_never_shown() {
    let (port, _received) = real_server(true, AuthMechanism::Plain).await;
    let mut server = server(port, SmtpTls::Implicit, true);
    server.login = Some(SmtpLogin { username: "alerts".into(), password: Password::new("hunter2".into()) });
    let delivery = submit(&client(), &server).await;
    assert_eq!(kind(&delivery), Login);
    assert!(message(&delivery).contains("the login (AUTH) failed: the server said 535"), "{delivery:?}");
    assert!(!format!("{delivery:?} {server:?} {:?}", client()).contains("hunter2"));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_a_failed_login() {
    let (port, _received) = real_server(true, AuthMechanism::Plain).await;
    // Trusts a certificate, but not the one that signed the server's.
    let other = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let stranger = Client::trusting("watch.example.org", [other]).unwrap().with_timeouts(client().timeouts);
    let delivery = submit(&stranger, &server(port, SmtpTls::Implicit, true)).await;
    assert_eq!(kind(&delivery), Login, "{delivery:?}");
    assert!(message(&delivery).contains("TLS failed"), "{delivery:?}");
}

#[tokio::test]
async fn a_login_that_the_server_does_not_offer_is_not_tried() {
    for offers in [&[("EHLO", "250 mail")], &[("EHLO", "250-mail\r\n250 AUTH CRAM-MD5 XOAUTH2")]] {
        let (port, heard) = scripted(offers).await;
        let delivery = submit(&client(), &server(port, SmtpTls::Off, true)).await;
        assert_eq!(kind(&delivery), Login, "{delivery:?}");
        assert!(!heard.lock().unwrap().iter().any(|line| line.starts_with("AUTH")));
    }
}

#[test]
fn introduces_itself_by_a_name_or_an_address() {
    for (given, want) in [
        ("watch.example.org", "watch.example.org"),
        ("", "[127.0.0.1]"),
        ("a b\r\nMAIL", "[127.0.0.1]"),
        ("хост", "[127.0.0.1]"),
    ] {
        assert_eq!(hello_name(given), want);
    }
}
