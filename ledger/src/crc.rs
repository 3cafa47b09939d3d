//! CRC-32C, the checksum at the end of every ledger line.
//!
//! Castagnoli's polynomial (G. Castagnoli, S. Bräuer, M. Herrmann, *Optimization of Cyclic Redundancy-Check Codes
//! with 24 and 32 Parity Bits*, 1993), reflected, sliced by sixteen bytes (M. Kounavis, F. Berry, *A Systematic
//! Approach to Building High Performance Software-based CRC Generators*, 2005). The processor's own instruction is
//! left out: it would need `unsafe`, and a line is far shorter than the flush that follows it.

const POLYNOMIAL: u32 = 0x82f6_3b78;
const SLICES: usize = 16;
const TABLES: [[u32; 256]; SLICES] = tables();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: an index out of range would not build"
)]
const fn tables() -> [[u32; 256]; SLICES] {
    let mut tables = [[0; 256]; SLICES];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ POLYNOMIAL
            } else {
                crc >> 1
            };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut slice = 1;
    while slice < SLICES {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[slice - 1][byte];
            tables[slice][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        slice += 1;
    }
    tables
}

/// Computes the CRC-32C of `bytes`.
///
/// ```
/// assert_eq!(ledger::crc::crc32c(b"123456789"), 0xe306_9283);
/// ```
#[must_use]
#[expect(
    clippy::indexing_slicing,
    reason = "every index is one byte into a table of 256"
)]
pub fn crc32c(bytes: &[u8]) -> u32 {
    let at = |table: usize, word: u32, shift: u32| TABLES[table][(word >> shift & 0xff) as usize];
    let mut crc = !0_u32;
    // Four bytes through the tables from `table` down.
    let four = |table: usize, word: u32| {
        at(table, word, 0)
            ^ at(table - 1, word, 8)
            ^ at(table - 2, word, 16)
            ^ at(table - 3, word, 24)
    };
    let (blocks, rest) = bytes.as_chunks::<SLICES>();
    for block in blocks {
        let (words, _) = block.as_chunks::<4>();
        let word = |index: usize| u32::from_le_bytes(words[index]);
        crc = four(15, crc ^ word(0)) ^ four(11, word(1)) ^ four(7, word(2)) ^ four(3, word(3));
    }
    for &byte in rest {
        crc = (crc >> 8) ^ at(0, crc ^ u32::from(byte), 0);
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    /// RFC 3720, appendix B.4.
    #[test]
    fn the_published_examples_agree() {
        assert_eq!(crc32c(b""), 0);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
        assert_eq!(crc32c(&(0..32).rev().collect::<Vec<u8>>()), 0x113f_db5c);
    }

    #[test]
    fn every_single_bit_matters() {
        let line = br#"{"kind":"attempt","gate":"fail","seq":1"#.to_vec();
        for bit in 0..line.len() * 8 {
            let mut flipped = line.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(crc32c(&flipped), crc32c(&line));
        }
    }
}
