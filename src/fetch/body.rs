//! Bodies: decoded piece by piece, counted on the wire and after decoding, hashed on the way.

use super::failure::Trouble;
use crate::{
    config::FetchLimits,
    core::feed::{BodyHash, FailureKind},
};
use flate2::{Decompress, FlushDecompress, Status, write::GzDecoder};
use reqwest::header::{self, HeaderMap};
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};

/// Content codings that are offered. Brotli is not: its decoder takes memory far beyond what it has put out.
pub(super) const ACCEPT_ENCODING: &str = "gzip, zstd, deflate";

/// Greatest zstd window, 2^23 bytes = 8 MiB (RFC 9659 §3).
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// First bytes of a gzip member (RFC 1952 §2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// First bytes of a zstd frame (RFC 8878 §3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A content coding that we decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// None.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or RFC 1951 bare, as some servers send it.
    Deflate,
    /// RFC 8878.
    Zstd,
}

/// Returns the content coding that the headers declare.
///
/// # Errors
///
/// If it was not offered, or is several on top of each other.
pub(super) fn encoding(headers: &HeaderMap) -> Result<Encoding, Trouble> {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let declared = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>().join(",");
    let codings: Vec<String> = declared
        .split(',')
        .map(|coding| coding.trim().to_ascii_lowercase())
        .filter(|coding| !coding.is_empty() && coding != "identity")
        .collect();
    match codings.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(Encoding::Identity),
        ["gzip" | "x-gzip"] => Ok(Encoding::Gzip),
        ["deflate"] => Ok(Encoding::Deflate),
        ["zstd"] => Ok(Encoding::Zstd),
        _ => {
            let shown: String = declared.chars().filter(|c| !c.is_control()).take(60).collect();
            Err(unreadable(format!("the body is encoded as {shown:?}, and only one of {ACCEPT_ENCODING} was offered")))
        }
    }
}

/// Limits of one body, and the keys that set them.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimits {
    pub(super) wire_bytes: u64,
    pub(super) body_bytes: u64,
    pub(super) wire_key: &'static str,
    pub(super) body_key: &'static str,
}

impl BodyLimits {
    /// Returns the limits of a feed's document.
    pub(super) fn of_feed(limits: FetchLimits) -> Self {
        let FetchLimits { wire_bytes, body_bytes, .. } = limits;
        Self { wire_bytes, body_bytes, wire_key: "wire", body_key: "body" }
    }

    /// Returns the limits of an article's page.
    pub(super) fn of_page(limits: FetchLimits) -> Self {
        let FetchLimits { wire_bytes, page_bytes, .. } = limits;
        // A page is never longer on the wire than it may be.
        Self { wire_bytes: wire_bytes.min(page_bytes), body_bytes: page_bytes, wire_key: "page", body_key: "page" }
    }
}

/// Decodes one body.
pub(super) struct BodyDecoder {
    decoder: Decoder,
    wire_bytes: u64,
    limits: BodyLimits,
    over_limit: bool,
}

enum Decoder {
    Identity(Sink),
    /// `None` between two members, never seen from outside of [`push_gzip`].
    Gzip(Option<GzDecoder<Sink>>),
    Deflate(Inflate),
    Zstd(zstd::stream::write::Decoder<'static, Sink>),
}

impl BodyDecoder {
    /// Makes a decoder for one body.
    pub(super) fn new(encoding: Encoding, limits: BodyLimits) -> Result<Self, Trouble> {
        let sink = Sink { bytes: Vec::new(), hash: Sha256::new(), limit: limits.body_bytes };
        let decoder = match encoding {
            Encoding::Identity => Decoder::Identity(sink),
            Encoding::Gzip => Decoder::Gzip(Some(GzDecoder::new(sink))),
            Encoding::Deflate => Decoder::Deflate(Inflate { stream: None, first: Vec::new(), ended: false, sink }),
            Encoding::Zstd => Decoder::Zstd(zstd_decoder(sink).map_err(|error| broken(&error))?),
        };
        Ok(Self { decoder, wire_bytes: 0, limits, over_limit: false })
    }

    /// Takes the next piece from the wire.
    ///
    /// # Errors
    ///
    /// If a limit is passed or the piece cannot be decoded.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Trouble> {
        self.wire_bytes = self.wire_bytes.saturating_add(piece.len() as u64);
        if self.wire_bytes > self.limits.wire_bytes {
            self.over_limit = true;
            return Err(over_wire_limit(self.limits));
        }
        let pushed = match &mut self.decoder {
            Decoder::Identity(sink) => sink.write_all(piece),
            Decoder::Gzip(decoder) => push_gzip(decoder, piece),
            Decoder::Deflate(inflate) => inflate.push(piece),
            Decoder::Zstd(decoder) => decoder.write_all(piece),
        };
        pushed.map_err(|error| self.trouble(&error))
    }

    /// Tells whether a limit was passed.
    pub(super) fn is_over_limit(&self) -> bool {
        self.over_limit
    }

    /// Returns what was decoded so far and its hash, of a body that is not read to its end.
    pub(super) fn beginning(mut self) -> (Vec<u8>, BodyHash) {
        let sink = match &mut self.decoder {
            Decoder::Identity(sink) => Some(sink),
            Decoder::Gzip(decoder) => decoder.as_mut().map(GzDecoder::get_mut),
            Decoder::Deflate(inflate) => Some(&mut inflate.sink),
            Decoder::Zstd(decoder) => Some(decoder.get_mut()),
        };
        let empty = || Sink { bytes: Vec::new(), hash: Sha256::new(), limit: 0 };
        let Sink { bytes, hash, .. } = sink.map_or_else(empty, |sink| std::mem::replace(sink, empty()));
        (bytes, BodyHash(hash.finalize().into()))
    }

    /// Returns the body and its hash.
    ///
    /// # Errors
    ///
    /// If it is empty, cut short, or still compressed.
    pub(super) fn finish(self) -> Result<(Vec<u8>, BodyHash), Trouble> {
        if self.wire_bytes == 0 {
            return Err(unreadable("the answer is empty; the server has trouble of its own, which mostly passes"));
        }
        let limits = self.limits;
        let finished = match self.decoder {
            Decoder::Identity(sink) => Ok(sink),
            Decoder::Gzip(decoder) => decoder.ok_or_else(cut_short).and_then(GzDecoder::finish),
            Decoder::Deflate(inflate) if inflate.ended => Ok(inflate.sink),
            Decoder::Deflate(_) => Err(cut_short()),
            Decoder::Zstd(decoder) => decoder.finish(),
        };
        let sink =
            finished.map_err(|error| if is_over_limit(&error) { over_body_limit(limits) } else { broken(&error) })?;
        if sink.bytes.is_empty() {
            return Err(unreadable("the answer is empty once it is decoded"));
        }
        if sink.bytes.starts_with(&GZIP_MAGIC) || sink.bytes.starts_with(&ZSTD_MAGIC) {
            return Err(unreadable(
                "the body is compressed more often than the server says; it was not unpacked further",
            ));
        }
        Ok((sink.bytes, BodyHash(sink.hash.finalize().into())))
    }

    fn trouble(&mut self, error: &io::Error) -> Trouble {
        self.over_limit = is_over_limit(error);
        if self.over_limit { over_body_limit(self.limits) } else { broken(error) }
    }
}

fn zstd_decoder(sink: Sink) -> io::Result<zstd::stream::write::Decoder<'static, Sink>> {
    let mut decoder = zstd::stream::write::Decoder::new(sink)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(decoder)
}

/// Decodes one gzip member after the other. Bytes after the last that are no member are padding, as for `gzip` itself.
fn push_gzip(slot: &mut Option<GzDecoder<Sink>>, mut piece: &[u8]) -> io::Result<()> {
    while !piece.is_empty() {
        let Some(decoder) = slot.as_mut() else { return Err(cut_short()) };
        match decoder.write(piece)? {
            0 if piece[0] == GZIP_MAGIC[0] => {
                let sink = slot.take().ok_or_else(cut_short)?.finish()?;
                *slot = Some(GzDecoder::new(sink));
            }
            0 => return Ok(()),
            taken => piece = &piece[taken..],
        }
    }
    Ok(())
}

/// A `deflate` body, with or without the zlib wrapper.
struct Inflate {
    /// Nothing until the first two bytes tell which.
    stream: Option<Decompress>,
    first: Vec<u8>,
    ended: bool,
    sink: Sink,
}

impl Inflate {
    fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        if let Some(stream) = &mut self.stream {
            return run(stream, piece, &mut self.ended, &mut self.sink);
        }
        self.first.extend_from_slice(piece);
        if self.first.len() < 2 {
            return Ok(());
        }
        // RFC 1950 §2.2: method 8, and the first two bytes are a multiple of 31.
        let wrapped =
            self.first[0] & 0x0f == 8 && u16::from_be_bytes([self.first[0], self.first[1]]).is_multiple_of(31);
        let stream = self.stream.insert(Decompress::new(wrapped));
        run(stream, &std::mem::take(&mut self.first), &mut self.ended, &mut self.sink)
    }
}

fn run(stream: &mut Decompress, mut piece: &[u8], ended: &mut bool, sink: &mut Sink) -> io::Result<()> {
    let mut room = vec![0; 32 * 1024];
    while !*ended {
        let (taken_before, made_before) = (stream.total_in(), stream.total_out());
        let status = stream.decompress(piece, &mut room, FlushDecompress::None).map_err(io::Error::other)?;
        // Both are at most the lengths of the two slices.
        let taken = usize::try_from(stream.total_in() - taken_before).map_err(io::Error::other)?;
        let made = usize::try_from(stream.total_out() - made_before).map_err(io::Error::other)?;
        sink.write_all(&room[..made])?;
        piece = &piece[taken..];
        match status {
            Status::StreamEnd => *ended = true,
            _ if taken == 0 && made == 0 => return Ok(()),
            _ if piece.is_empty() && made < room.len() => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}

/// Where decoded bytes go: it refuses those beyond the limit, so that a bomb ends at once.
struct Sink {
    bytes: Vec<u8>,
    hash: Sha256,
    limit: u64,
}

impl Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if (self.bytes.len() as u64).saturating_add(piece.len() as u64) > self.limit {
            return Err(io::Error::other(OverLimit));
        }
        self.bytes.extend_from_slice(piece);
        self.hash.update(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Marks the error of a full [`Sink`] on its way through a decoder.
#[derive(Debug, thiserror::Error)]
#[error("over the limit")]
struct OverLimit;

fn is_over_limit(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<OverLimit>())
}

/// Returns the error of a body that is too long on the wire.
pub(super) fn over_wire_limit(limits: BodyLimits) -> Trouble {
    unreadable(format!(
        "the body is longer than {} bytes on the wire; raise polling.limits.{} if that is right for this feed",
        limits.wire_bytes, limits.wire_key
    ))
}

fn over_body_limit(limits: BodyLimits) -> Trouble {
    unreadable(format!(
        "the body is longer than {} bytes; raise polling.limits.{} if that is right for this feed",
        limits.body_bytes, limits.body_key
    ))
}

fn cut_short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early")
}

fn broken(error: &io::Error) -> Trouble {
    unreadable(format!("the compressed body is broken or was cut short ({error}), which mostly passes"))
}

fn unreadable(text: impl Into<String>) -> Trouble {
    Trouble::new(FailureKind::Unreadable, text)
}
