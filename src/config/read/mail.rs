//! `[mail]`.

use super::super::{
    Mail, MailServer, Password, SmtpLogin, SmtpServer, SmtpTls, Surroundings,
    problem::{Complaint, Report},
    section::{Section, Text},
    source::{Place, Source},
};
use crate::core::mailbox::Mailbox;
use std::{fs, io::Read, net::IpAddr, os::unix::fs::PermissionsExt, path::PathBuf};
use toml::de::DeTable;
use url::{Host, Url};

pub(in super::super) const KEYS: [&str; 6] = ["from", "admin", "server", "tls", "username", "password_file"];

/// Longest password file that is read.
const PASSWORD_MAX_BYTES: u64 = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    Required,
    Off,
}

/// A server as its URL tells, before `tls` and the login are known.
enum ServerUrl {
    Maildir(PathBuf),
    Smtp { host: String, port: u16, implicit_tls: bool, local: bool },
}

/// Returns what stands for `[mail]` where nobody is mailed.
pub(in super::super) fn unused(folder: PathBuf) -> Mail {
    let from = "feedwatch@localhost".parse::<Mailbox>().expect("the literal is an address");
    Mail { from, admin: None, server: MailServer::Maildir(folder.join("outbox")) }
}

/// Reads `[mail]`. `needed` tells that there are digests, which need author and server.
pub(in super::super) fn read<'s>(
    table: &'s DeTable<'s>,
    place: Place,
    needed: bool,
    surroundings: &Surroundings,
    report: &mut Report<'_>,
) -> Option<Mail> {
    let section = Section::new(table, place, &KEYS, report);
    let source = report.source(&section.place);
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|error| error.to_string());
    let from = section.parsed("from", report, mailbox);
    let admin = section.parsed("admin", report, mailbox);
    let server = section.parsed("server", report, |text| parse_server(text, source));
    let tls = section.word("tls", &[("required", Tls::Required), ("off", Tls::Off)], report);
    let login = login(&section, surroundings, report);
    if needed && !section.has("from") {
        section.missing("from", "digests need an author; write `from = \"feedwatch <alerts@example.org>\"`", report);
    }
    if needed && !section.has("server") {
        let remedy = "digests need a server; write `server = \"smtp://mail.example.org\"` or `\"file:./outbox\"`";
        section.missing("server", remedy, report);
    }
    let unused = unused(source.folder());
    let server = match server {
        Some(server) => combine(&section, server, tls, login, report),
        None => unused.server,
    };
    Some(Mail { from: from.unwrap_or(unused.from), admin, server })
}

fn combine(
    section: &Section<'_>,
    server: ServerUrl,
    tls: Option<Tls>,
    login: Option<SmtpLogin>,
    report: &mut Report<'_>,
) -> MailServer {
    let (host, port, implicit_tls, local) = match server {
        ServerUrl::Maildir(path) => {
            for key in ["tls", "username", "password_file"].into_iter().filter(|key| section.has(key)) {
                report.warn(&section.place_of(key), "is not used: the mails go into a folder");
            }
            return MailServer::Maildir(path);
        }
        ServerUrl::Smtp { host, port, implicit_tls, local } => (host, port, implicit_tls, local),
    };
    let tls = match (implicit_tls, tls) {
        (true, Some(Tls::Off)) => {
            report.error(&section.place_of("tls"), "contradicts `smtps://` in `server`, which is TLS; leave one out");
            SmtpTls::Implicit
        }
        (true, _) => SmtpTls::Implicit,
        (false, Some(Tls::Off)) => SmtpTls::Off,
        (false, None) if local => SmtpTls::Off,
        (false, _) => SmtpTls::StarttlsRequired,
    };
    if tls == SmtpTls::Off && !local {
        let message = match login {
            Some(_) => "the password crosses the network in the clear",
            None => "the mails cross the network in the clear",
        };
        report.warn(&section.place_of("tls"), message);
    }
    MailServer::Smtp(SmtpServer { host, port, tls, login })
}

fn parse_server(text: &str, source: &Source) -> Result<ServerUrl, Complaint> {
    const FORMS: &str = "write `smtp://mail.example.org:587`, `smtps://mail.example.org` or `file:./outbox`";
    if let Some(path) = text.strip_prefix("file:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return match path {
            "" => Err(format!("names no folder; {FORMS}").into()),
            path => Ok(ServerUrl::Maildir(source.resolve(path))),
        };
    }
    // The text may hold a password: no message repeats it.
    let Ok(url) = Url::parse(text) else {
        let bare_host = !text.contains(['/', '@', ' ']) && !text.is_empty();
        return Err(Complaint::suggesting(
            format!("is not the URL of a mail server; {FORMS}"),
            bare_host.then(|| format!("smtp://{text}")),
        ));
    };
    let implicit_tls = match url.scheme() {
        "smtp" => false,
        "smtps" => true,
        _ if !text.contains(['/', '@']) => {
            let message = format!("has no scheme; {FORMS}");
            return Err(Complaint::suggesting(message, Some(format!("smtp://{text}"))));
        }
        scheme => return Err(format!("`{scheme}` is no scheme of a mail server; {FORMS}").into()),
    };
    if url.password().is_some() {
        return Err("holds a password; put it into a file that only feedwatch can read, and name the file in \
                    `password_file`"
            .into());
    }
    if !url.username().is_empty() {
        return Err("holds a user name; write it as `username`".into());
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("has more than scheme, host and port; {FORMS}").into());
    }
    let host = url.host_str().and_then(|host| Host::parse(host).ok());
    let host = host.ok_or_else(|| Complaint::from(format!("names no host; {FORMS}")))?;
    let local = is_local(&host);
    let port = url.port().unwrap_or(match (implicit_tls, local) {
        (true, _) => 465,
        (false, true) => 25,
        (false, false) => 587,
    });
    if port == 0 {
        return Err("has port 0, which no server listens on".into());
    }
    let host = match host {
        Host::Domain(name) => name,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    Ok(ServerUrl::Smtp { host, port, implicit_tls, local })
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
    }
}

fn login(section: &Section<'_>, surroundings: &Surroundings, report: &mut Report<'_>) -> Option<SmtpLogin> {
    let username = section.text("username", report);
    let file = section.text("password_file", report);
    match (section.has("username"), section.has("password_file")) {
        (true, false) => section.missing("password_file", "`username` needs a file with the password", report),
        (false, true) => section.missing("username", "`password_file` needs the user name it belongs to", report),
        _ => {}
    }
    if let Some(username) = &username
        && (username.text.is_empty() || username.text.chars().any(char::is_control))
    {
        report.error(&username.place, "is empty or has a control character");
    }
    let password = password(&file?, surroundings, report)?;
    Some(SmtpLogin { username: username?.text, password })
}

fn password(file: &Text, surroundings: &Surroundings, report: &mut Report<'_>) -> Option<Password> {
    let credential = surroundings
        .credentials_folder
        .as_ref()
        .filter(|_| !file.text.contains('/') && !file.text.is_empty())
        .map(|folder| folder.join(&file.text))
        // One that cannot be looked at is there: the error is to name it, not a file of the same name.
        .filter(|path| path.try_exists().unwrap_or(true));
    let path = credential.clone().unwrap_or_else(|| report.source(&file.place).resolve(&file.text));
    match read_password(&path, credential.is_some()) {
        Ok((password, warning)) => {
            if let Some(warning) = warning {
                report.warn(&file.place, warning);
            }
            Some(password)
        }
        Err(why) => {
            report.error(&file.place, format!("cannot take the password from {}: {why}", path.display()));
            None
        }
    }
}

/// Reads a password, with a warning when others can read the file. systemd guards its credentials itself.
fn read_password(path: &std::path::Path, is_credential: bool) -> Result<(Password, Option<String>), String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut text = String::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(PASSWORD_MAX_BYTES).read_to_string(&mut text).map_err(|error| error.to_string())?;
    let password = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    if password.is_empty() {
        return Err("it is empty".to_owned());
    }
    if password.chars().any(char::is_control) {
        return Err("it has more than one line or a control character".to_owned());
    }
    let open = !is_credential && metadata.permissions().mode() & 0o044 != 0;
    let warning = open.then(|| format!("others can read the password; run `chmod 600 {}`", path.display()));
    Ok((Password::new(password.to_owned()), warning))
}
