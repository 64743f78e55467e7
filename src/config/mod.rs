//! Configuration: TOML files → checked values, with all errors at once.
//!
//! Raw values and their checks live in the submodules; what leaves this module is ready for use.

mod mail;
mod polling;

pub use mail::{Mail, MailServer, Password, SmtpLogin, SmtpServer, SmtpTls};
pub use polling::{FetchLimits, Polling};
