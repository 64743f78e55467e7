//! Bodies: every encoding that is offered, and those that cannot be used.

use super::{
    super::body::{BodyDecoder, BodyLimits, Encoding},
    *,
};
use flate2::write::{DeflateEncoder, ZlibEncoder};

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn bare_deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zstd_with_window(body: &[u8], window_log: u32) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(window_log).unwrap();
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn every_offered_encoding_is_decoded() {
    let long = FEED.repeat(1000);
    let two_members = [gzip(FEED), gzip(FEED)].concat();
    let padded = [gzip(FEED), vec![0; 40]].concat();
    let cases = [
        ("200 OK\nContent-Encoding: gzip", gzip(&long), long.clone()),
        ("200 OK\nContent-Encoding: X-GZip", gzip(&long), long.clone()),
        ("200 OK\nContent-Encoding: gzip, identity", gzip(&long), long.clone()),
        ("200 OK\nContent-Encoding: gzip", two_members, FEED.repeat(2)),
        ("200 OK\nContent-Encoding: gzip", padded, FEED.to_vec()),
        ("200 OK\nContent-Encoding: deflate", zlib(&long), long.clone()),
        ("200 OK\nContent-Encoding: deflate", bare_deflate(&long), long.clone()),
        ("200 OK\nContent-Encoding: zstd", zstd_with_window(&long, 20), long.clone()),
        ("200 OK\nContent-Encoding: identity", long.clone(), long.clone()),
        ("203 Non-Authoritative Information", long.clone(), long.clone()),
    ];
    for (head, wire, body) in cases {
        assert!(document(fetch_answer(head, wire).await) == body, "{head}");
    }
}

#[test]
fn decoding_does_not_depend_on_where_the_pieces_end() {
    for (encoding, wire) in [
        (Encoding::Gzip, [gzip(FEED), gzip(FEED)].concat()),
        (Encoding::Deflate, zlib(&FEED.repeat(2))),
        (Encoding::Deflate, bare_deflate(&FEED.repeat(2))),
        (Encoding::Zstd, zstd_with_window(&FEED.repeat(2), 20)),
    ] {
        for size in [1, 2, 3, 7, 64] {
            let mut decoder = BodyDecoder::new(encoding, BodyLimits::of_feed(limits())).unwrap();
            wire.chunks(size).for_each(|piece| decoder.push(piece).unwrap());
            assert_eq!(decoder.finish().unwrap().0, FEED.repeat(2), "{encoding:?} {size}");
        }
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_used_are_errors_that_name_themselves() {
    let zeros = vec![0; 50_000_000];
    let cut = |mut wire: Vec<u8>| {
        wire.truncate(wire.len() - 9);
        wire
    };
    let long = FEED.repeat(1000);
    // Noise, so that the frame really needs its window.
    let noise: Vec<u8> = (0_u32..40_000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let wide = zstd_with_window(&noise.repeat(100), 27);
    let cases = [
        ("200 OK", Vec::new(), "empty"),
        ("204 No Content", Vec::new(), "empty"),
        ("200 OK\nContent-Encoding: gzip", Vec::new(), "empty"),
        ("200 OK\nContent-Encoding: gzip", gzip(b""), "empty"),
        ("200 OK\nContent-Encoding: br", FEED.to_vec(), "encoded as \"br\""),
        ("200 OK\nContent-Encoding: gzip, gzip", gzip(&gzip(FEED)), "only one of gzip, zstd, deflate"),
        ("200 OK\nContent-Encoding: gzip\nContent-Encoding: zstd", gzip(FEED), "only one of"),
        ("200 OK\nContent-Encoding: gzip", gzip(&gzip(FEED)), "compressed more often"),
        ("200 OK\nContent-Encoding: gzip", FEED.to_vec(), "broken"),
        ("200 OK\nContent-Encoding: zstd", FEED.to_vec(), "broken"),
        ("200 OK\nContent-Encoding: deflate", vec![0xff; 100], "broken"),
        ("200 OK\nContent-Encoding: gzip", cut(gzip(&long)), "cut short"),
        ("200 OK\nContent-Encoding: deflate", cut(zlib(&long)), "cut short"),
        ("200 OK\nContent-Encoding: zstd", cut(zstd_with_window(&long, 20)), "cut short"),
        ("200 OK\nContent-Encoding: gzip", gzip(&zeros), "polling.limits.body"),
        ("200 OK\nContent-Encoding: deflate", zlib(&zeros), "polling.limits.body"),
        ("200 OK\nContent-Encoding: zstd", zstd_with_window(&zeros, 20), "polling.limits.body"),
        ("200 OK\nContent-Encoding: zstd", wide[..90_000].to_vec(), "broken"),
        ("200 OK", vec![b'x'; 100_001], "polling.limits.wire"),
        ("200 OK\nContent-Length: 999999999", FEED.to_vec(), "polling.limits.wire"),
    ];
    for (head, wire, words) in cases {
        assert_failed(fetch_answer(head, wire).await, FailureKind::Unreadable, words);
    }
    let short = fetch_answer("200 OK\nContent-Length: 9999", FEED.to_vec()).await;
    assert_failed(short, FailureKind::Unreachable, "the body broke off");
    let part = fetch_answer("206 Partial Content", FEED.to_vec()).await;
    assert_failed(part, FailureKind::Status(206), "206 Partial Content");
}
