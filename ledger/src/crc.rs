//! CRC-32C, the checksum at the end of every ledger line.
//!
//! Castagnoli's polynomial (G. Castagnoli, S. Bräuer, M. Herrmann, *Optimization of Cyclic Redundancy-Check Codes
//! with 24 and 32 Parity Bits*, 1993), reflected, sliced by eight bytes (M. Kounavis, F. Berry, *A Systematic
//! Approach to Building High Performance Software-based CRC Generators*, 2005). The processor's own instruction is
//! left out: it would need `unsafe`, and a line is far shorter than the flush that follows it.

const POLYNOMIAL: u32 = 0x82f6_3b78;
const TABLES: [[u32; 256]; 8] = tables();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: an index out of range would not build"
)]
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
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
    while slice < 8 {
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
    let (eights, rest) = bytes.as_chunks::<8>();
    for &[a, b, c, d, e, f, g, h] in eights {
        let low = crc ^ u32::from_le_bytes([a, b, c, d]);
        let high = u32::from_le_bytes([e, f, g, h]);
        crc = at(7, low, 0)
            ^ at(6, low, 8)
            ^ at(5, low, 16)
            ^ at(4, low, 24)
            ^ at(3, high, 0)
            ^ at(2, high, 8)
            ^ at(1, high, 16)
            ^ at(0, high, 24);
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
