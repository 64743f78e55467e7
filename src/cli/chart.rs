//! A chart of one line: a block for each column, as high as its count.

/// The heights, lowest first.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A chart and what its columns stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chart {
    /// The columns.
    pub(super) line: String,
    /// Counts that a column adds up.
    pub(super) per_column: usize,
    /// The largest column.
    pub(super) most: usize,
}

/// Draws counts in at most so many columns; where there are more, neighbours are added up.
pub(super) fn chart(counts: &[usize], columns: usize) -> Chart {
    let per_column = counts.len().div_ceil(columns.max(1)).max(1);
    // From the end, so that only the first column can stand for fewer.
    let mut sums: Vec<usize> = counts.rchunks(per_column).map(|chunk| chunk.iter().sum()).collect();
    sums.reverse();
    let most = sums.iter().copied().max().unwrap_or(0);
    let block = |count: usize| match count {
        0 => '·',
        _ => BLOCKS[(count * BLOCKS.len()).div_ceil(most) - 1],
    };
    Chart { line: sums.into_iter().map(block).collect(), per_column, most }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_what_fits() {
        for (counts, columns, line, per_column, most) in [
            (&[][..], 10, "", 1, 0),
            (&[0, 0], 10, "··", 1, 0),
            (&[1, 2, 4, 8], 10, "▁▂▄█", 1, 8),
            (&[1000, 1, 0], 10, "█▁·", 1, 1000),
            (&[1, 1, 1, 1, 4], 3, "▂▄█", 2, 5),
            (&[3, 3], 0, "█", 2, 6),
        ] {
            let expected = Chart { line: line.to_owned(), per_column, most };
            assert_eq!(chart(counts, columns), expected, "{counts:?}");
        }
    }
}
