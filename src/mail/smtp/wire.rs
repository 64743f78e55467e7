//! The stream under the SMTP client: plain or TLS, with a budget of bytes for each reply.
//!
//! `mail-send` bounds the text of a reply that it keeps, but would read a reply without an end for as long as its
//! time-out lasts. The budget ends that.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

/// Bytes of a reply.
pub(super) const REPLY_BYTES: usize = 64 * 1024;

/// A connection to an SMTP server.
pub(super) struct Wire {
    stream: Stream,
    budget: usize,
    ended: Option<End>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Why nothing more is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The server closed the connection.
    Closed,
    /// A reply used up its budget.
    Flooded,
}

impl Wire {
    pub(super) fn plain(stream: TcpStream) -> Self {
        Self { stream: Stream::Plain(stream), budget: REPLY_BYTES, ended: None }
    }

    pub(super) fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self { stream: Stream::Tls(Box::new(stream)), budget: REPLY_BYTES, ended: None }
    }

    /// Grants the next reply its bytes.
    pub(super) fn expect_reply(&mut self) {
        self.budget = REPLY_BYTES;
    }

    /// Tells why nothing more is read, if so.
    pub(super) fn ended(&self) -> Option<End> {
        self.ended
    }

    /// Gives the plain stream back, for the TLS handshake. Nothing for one that has TLS.
    pub(super) fn into_plain(self) -> Option<TcpStream> {
        match self.stream {
            Stream::Plain(stream) => Some(stream),
            Stream::Tls(_) => None,
        }
    }

    /// Names the TLS version.
    pub(super) fn protocol(&self) -> Option<&'static str> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Tls(stream) => stream.get_ref().1.protocol_version().and_then(|version| version.as_str()),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.budget == 0 {
            self.ended = Some(End::Flooded);
            return Poll::Ready(Err(io::Error::other("the reply has no end")));
        }
        let room = buf.remaining();
        let before = buf.filled().len();
        let result = match &mut self.stream {
            Stream::Plain(stream) => ready!(Pin::new(stream).poll_read(cx, buf)),
            Stream::Tls(stream) => ready!(Pin::new(stream.as_mut()).poll_read(cx, buf)),
        };
        let read = buf.filled().len() - before;
        self.budget = self.budget.saturating_sub(read);
        if read == 0 && room > 0 {
            self.ended = Some(End::Closed);
        }
        Poll::Ready(result)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
