//! Runs of ASCII letters and digits, eight bytes at a time: most words are one.

const HIGH: u64 = 0x8080_8080_8080_8080;

/// A run of letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// In bytes.
    pub(super) length: usize,
    /// Whether it has a capital letter.
    pub(super) has_capital: bool,
}

/// Returns the run that a text starts with.
pub(super) fn run(text: &[u8]) -> Run {
    let mut length = 0;
    let mut capitals = 0;
    while let Some(chunk) = text[length..].first_chunk() {
        let bytes = u64::from_le_bytes(*chunk);
        let others = !(within(bytes | repeated(0x20), b'a', b'z') | within(bytes, b'0', b'9')) & HIGH;
        // The lowest byte that is none ends the run; of what stands behind it nothing counts.
        let own = if others == 0 { u64::MAX } else { (others & others.wrapping_neg()) - 1 };
        capitals |= within(bytes, b'A', b'Z') & own;
        length += (others.trailing_zeros() / 8) as usize;
        if others != 0 {
            return Run { length, has_capital: capitals != 0 };
        }
    }
    let rest = &text[length..];
    let own = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let has_capital = capitals != 0 || rest[..own].iter().any(u8::is_ascii_uppercase);
    Run { length: length + own, has_capital }
}

fn repeated(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Returns the highest bit of each byte that lies between two ASCII characters.
fn within(bytes: u64, first: u8, last: u8) -> u64 {
    let low = bytes & !HIGH;
    let from_first = low + repeated(0x80 - first);
    let after_last = low + repeated(0x7f - last);
    from_first & !after_last & !bytes & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn byte_by_byte(text: &[u8]) -> Run {
        let length = text.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        Run { length, has_capital: text[..length].iter().any(u8::is_ascii_uppercase) }
    }

    #[test]
    fn every_byte_is_told_apart_at_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..24 {
                let mut text = [b'x'; 24];
                text[place] = byte;
                assert_eq!(run(&text), byte_by_byte(&text), "{byte} at {place}");
            }
        }
    }

    proptest! {
        #[test]
        fn runs_are_those_of_single_bytes(text in "[a-cA-C0-9 .é]{0,30}") {
            prop_assert_eq!(run(text.as_bytes()), byte_by_byte(text.as_bytes()));
        }
    }
}
