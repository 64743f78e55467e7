//! One connection: greeting, EHLO, STARTTLS, login, one transaction, QUIT.

use super::{
    Client, failure,
    wire::{End, Wire},
};
use crate::{
    config::{SmtpServer, SmtpTls},
    core::retry::{Refusal, RefusalKind},
    mail::{ascii_address, clean},
};
use mail_send::{Credentials, Error, SmtpClient};
use rustls::pki_types::ServerName;
use smtp_proto::{
    AUTH_LOGIN, AUTH_PLAIN, EXT_8BIT_MIME, EXT_SIZE, EXT_SMTP_UTF8, EXT_START_TLS, EhloResponse, Response,
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

/// A step of the dialogue, as messages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Connect,
    Greeting,
    Hello,
    StartTls,
    Tls,
    Login,
    Sender,
    Recipient,
    Data,
    Acceptance,
}

impl fmt::Display for Phase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Connect => "connecting",
            Self::Greeting => "the greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Tls => "the TLS handshake",
            Self::Login => "the login (AUTH)",
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Acceptance => "acceptance after DATA",
        })
    }
}

/// An open connection that has been greeted and has the protection that the configuration asks for.
pub(super) struct Session<'a> {
    client: &'a Client,
    server: &'a SmtpServer,
    smtp: SmtpClient<Wire>,
    greeting: String,
    offers: EhloResponse<String>,
}

impl<'a> Session<'a> {
    /// Connects, reads the greeting, says EHLO and sets up TLS.
    pub(super) async fn open(client: &'a Client, server: &'a SmtpServer) -> Result<Self, Refusal> {
        let limits = client.timeouts;
        let host = server.host.trim_start_matches('[').trim_end_matches(']');
        let tcp = within(limits.connect, async { Ok(TcpStream::connect((host, server.port)).await?) })
            .await
            .map_err(|error| failure::refusal(&name(server), Phase::Connect, error, None, limits.connect))?;
        // Every command waits for its reply: nothing is gained by collecting bytes. A failure costs time only.
        let _ = tcp.set_nodelay(true);
        let wire = match server.tls {
            SmtpTls::Implicit => handshake(client, server, tcp).await?,
            SmtpTls::StarttlsRequired | SmtpTls::Off => Wire::plain(tcp),
        };
        let mut smtp = SmtpClient { stream: wire, timeout: limits.command };
        let greeting = within(limits.command, smtp.read()).await.and_then(|reply| expect(reply, 220));
        let greeting = blame(client, server, &smtp, Phase::Greeting, greeting)?;
        let mut session =
            Self { client, server, smtp, greeting: failure::shown(&greeting), offers: EhloResponse::default() };
        session.hello().await?;
        if server.tls == SmtpTls::StarttlsRequired {
            session = session.start_tls().await?;
            session.hello().await?;
        }
        Ok(session)
    }

    async fn hello(&mut self) -> Result<(), Refusal> {
        self.smtp.stream.expect_reply();
        let offers = self.smtp.ehlo(&self.client.hello).await;
        self.offers = self.blame(Phase::Hello, offers)?;
        Ok(())
    }

    async fn start_tls(mut self) -> Result<Self, Refusal> {
        if self.offers.capabilities & EXT_START_TLS == 0 {
            return Err(self.refuse(
                RefusalKind::Login,
                Phase::StartTls,
                "the server does not offer STARTTLS, and neither mail nor password is sent in the clear; use smtps:// \
                 if the server has a TLS port",
            ));
        }
        self.command(Phase::StartTls, "STARTTLS", 220).await?;
        let Self { client, server, smtp, greeting, offers } = self;
        // What the server sent behind its reply is lost with mail-send's buffer: nothing said in the clear counts later.
        let tcp = smtp.stream.into_plain().expect("STARTTLS is said on a plain stream");
        let stream = handshake(client, server, tcp).await?;
        Ok(Self { client, server, smtp: SmtpClient { stream, timeout: client.timeouts.command }, greeting, offers })
    }

    /// Logs in where the configuration has a login, and says how.
    pub(super) async fn log_in(&mut self) -> Result<Option<String>, Refusal> {
        let Some(login) = &self.server.login else { return Ok(None) };
        // mail-send would try CRAM-MD5 without being able to, and leave the server in the middle of the exchange.
        let usable = self.offers.auth_mechanisms & (AUTH_PLAIN | AUTH_LOGIN);
        let mechanism = if usable & AUTH_PLAIN != 0 { AUTH_PLAIN } else { usable };
        let offers = EhloResponse { auth_mechanisms: mechanism, ..EhloResponse::default() };
        let credentials = Credentials::Plain { username: login.username.as_str(), secret: login.password.expose() };
        self.smtp.stream.expect_reply();
        let result = self.smtp.authenticate(&credentials, &offers).await.map(|_| ());
        self.blame(Phase::Login, result)?;
        let mechanism = if mechanism == AUTH_PLAIN { "PLAIN" } else { "LOGIN" };
        Ok(Some(clean(&format!("logged in as {} by {mechanism}", login.username))))
    }

    /// Sends one message to one recipient and returns what the server said to it.
    pub(super) async fn send(
        &mut self,
        sender: &str,
        recipient: &str,
        message: &[u8],
        before_data: impl Future<Output = Result<(), Refusal>>,
    ) -> Result<String, Refusal> {
        let (sender, recipient) = (ascii_address(sender), ascii_address(recipient));
        let parameters = self.parameters(&sender, &recipient, message)?;
        self.command(Phase::Sender, &format!("MAIL FROM:<{sender}>{parameters}"), 250).await?;
        self.command(Phase::Recipient, &format!("RCPT TO:<{recipient}>"), 250).await?;
        before_data.await?;
        self.command(Phase::Data, "DATA", 354).await?;
        // The end of data brings its own CRLF; with the message's own, a line would be added.
        let body = message.strip_suffix(b"\r\n").unwrap_or(message);
        let sent = within(self.client.timeouts.data, async { Ok(self.smtp.write_message(body).await?) }).await;
        self.blame_within(Phase::Data, sent, self.client.timeouts.data)?;
        let limit = self.client.timeouts.acceptance;
        self.smtp.stream.expect_reply();
        let reply = within(limit, self.smtp.read()).await.and_then(|reply| expect(reply, 250));
        Ok(failure::shown(&self.blame_within(Phase::Acceptance, reply, limit)?))
    }

    /// Returns the parameters of MAIL FROM, or why the server cannot take this mail.
    fn parameters(&self, sender: &str, recipient: &str, message: &[u8]) -> Result<String, Refusal> {
        for (phase, address) in [(Phase::Sender, sender), (Phase::Recipient, recipient)] {
            if address.chars().any(|c| c.is_control() || matches!(c, '<' | '>' | ' ')) {
                return Err(self.refuse(RefusalKind::Permanent, phase, &format!("`{address}` is not a mail address")));
            }
        }
        let can = |extension| self.offers.capabilities & extension != 0;
        let mut parameters = String::new();
        if can(EXT_SIZE) {
            let (size, most) = (message.len(), self.offers.size);
            if most != 0 && size > most {
                let why = format!("the mail has {size} bytes and the server takes at most {most} (SIZE)");
                return Err(self.refuse(RefusalKind::TooLarge { most }, Phase::Sender, &why));
            }
            parameters.push_str(&format!(" SIZE={size}"));
        }
        if !message.is_ascii() && can(EXT_8BIT_MIME) {
            parameters.push_str(" BODY=8BITMIME");
        }
        if !(sender.is_ascii() && recipient.is_ascii()) {
            if !can(EXT_SMTP_UTF8) {
                let why = "the address is not ASCII and the server does not offer SMTPUTF8";
                let phase = if sender.is_ascii() { Phase::Recipient } else { Phase::Sender };
                return Err(self.refuse(RefusalKind::Permanent, phase, why));
            }
            parameters.push_str(" SMTPUTF8");
        }
        Ok(parameters)
    }

    /// Says good-bye.
    pub(super) async fn quit(mut self) {
        self.smtp.stream.expect_reply();
        self.smtp.timeout = self.client.timeouts.quit;
        let _ = self.smtp.quit().await;
    }

    /// Describes the server: greeting, protection, limits.
    pub(super) fn introduction(&self) -> String {
        let protection = self.smtp.stream.protocol().unwrap_or("no TLS");
        let size = match self.offers.size {
            0 => String::new(),
            size => format!(", mails up to {size} bytes"),
        };
        format!("{}: {}; {protection}{size}", name(self.server), self.greeting)
    }

    async fn command(&mut self, phase: Phase, command: &str, code: u16) -> Result<Response<String>, Refusal> {
        self.smtp.stream.expect_reply();
        let reply = self.smtp.cmd(format!("{command}\r\n")).await.and_then(|reply| expect(reply, code));
        self.blame(phase, reply)
    }

    fn blame<T>(&self, phase: Phase, result: mail_send::Result<T>) -> Result<T, Refusal> {
        blame(self.client, self.server, &self.smtp, phase, result)
    }

    fn blame_within<T>(&self, phase: Phase, result: mail_send::Result<T>, limit: Duration) -> Result<T, Refusal> {
        let end = self.smtp.stream.ended();
        result.map_err(|error| failure::refusal(&name(self.server), phase, error, end, limit))
    }

    fn refuse(&self, kind: RefusalKind, phase: Phase, why: &str) -> Refusal {
        Refusal { kind, message: clean(&format!("{}: {phase} failed: {why}", name(self.server))) }
    }
}

fn blame<T>(
    client: &Client,
    server: &SmtpServer,
    smtp: &SmtpClient<Wire>,
    phase: Phase,
    result: mail_send::Result<T>,
) -> Result<T, Refusal> {
    let end: Option<End> = smtp.stream.ended();
    result.map_err(|error| failure::refusal(&name(server), phase, error, end, client.timeouts.command))
}

async fn handshake(client: &Client, server: &SmtpServer, tcp: TcpStream) -> Result<Wire, Refusal> {
    let limit = client.timeouts.command;
    let host = server.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let connector = TlsConnector::from(Arc::clone(&client.tls));
    let stream = within(limit, async {
        let host = ServerName::try_from(host).map_err(|_| Error::InvalidTLSName)?;
        Ok(connector.connect(host, tcp).await?)
    })
    .await;
    stream.map(Wire::tls).map_err(|error| failure::refusal(&name(server), Phase::Tls, error, None, limit))
}

async fn within<T>(limit: Duration, work: impl Future<Output = mail_send::Result<T>>) -> mail_send::Result<T> {
    timeout(limit, work).await.unwrap_or(Err(Error::Timeout))
}

/// Accepts the code that a step calls for; for 250 any positive completion (251 will forward).
fn expect(reply: Response<String>, code: u16) -> mail_send::Result<Response<String>> {
    let fits = reply.code == code || (code == 250 && (200..300).contains(&reply.code));
    if fits { Ok(reply) } else { Err(Error::UnexpectedReply(reply)) }
}

fn name(server: &SmtpServer) -> String {
    format!("{}:{}", server.host, server.port)
}
