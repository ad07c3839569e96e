//! Writes zip archives byte by byte, so that a test can lie in every field. Format: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.

/// One stored (uncompressed) entry. By default an honest regular file.
pub struct Entry {
    pub name: String,
    pub bytes: Vec<u8>,
    /// Unix mode in the upper half of the external attributes.
    pub mode: u32,
    /// The uncompressed size that the archive tells.
    pub told: u64,
}

pub fn file(name: &str, bytes: &[u8]) -> Entry {
    Entry { name: name.to_string(), bytes: bytes.to_vec(), mode: 0o100_644, told: bytes.len() as u64 }
}

/// The archive's bytes.
pub fn zip(entries: &[Entry]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = archive.len() as u32;
        let checksum = crc32(&entry.bytes);
        let sizes = |to: &mut Vec<u8>| {
            put32(to, checksum);
            put32(to, entry.bytes.len() as u32);
            put32(to, u32::try_from(entry.told).unwrap_or(u32::MAX));
            put16(to, entry.name.len() as u16);
        };
        // Zip64 extra field with the uncompressed size alone, where 32 bits are too few.
        let mut extra = Vec::new();
        if entry.told > u64::from(u32::MAX) - 1 {
            put16(&mut extra, 1);
            put16(&mut extra, 8);
            extra.extend(entry.told.to_le_bytes());
        }
        archive.extend(b"PK\x03\x04");
        for field in [45, 0, 0, 0, 0x5021] {
            put16(&mut archive, field); // version, flags, method: stored, time, date
        }
        sizes(&mut archive);
        put16(&mut archive, extra.len() as u16);
        archive.extend(entry.name.as_bytes());
        archive.extend(&extra);
        archive.extend(&entry.bytes);

        directory.extend(b"PK\x01\x02");
        for field in [3 << 8 | 45, 45, 0, 0, 0, 0x5021] {
            put16(&mut directory, field); // made by Unix, version, flags, method, time, date
        }
        sizes(&mut directory);
        put16(&mut directory, extra.len() as u16);
        for field in [0, 0, 0] {
            put16(&mut directory, field); // comment, disk, internal attributes
        }
        put32(&mut directory, entry.mode << 16);
        put32(&mut directory, offset);
        directory.extend(entry.name.as_bytes());
        directory.extend(&extra);
    }
    let (begin, length) = (archive.len() as u32, directory.len() as u32);
    archive.extend(directory);
    archive.extend(b"PK\x05\x06");
    for field in [0, 0, entries.len() as u16, entries.len() as u16] {
        put16(&mut archive, field);
    }
    put32(&mut archive, length);
    put32(&mut archive, begin);
    put16(&mut archive, 0);
    archive
}

fn put16(to: &mut Vec<u8>, value: u16) {
    to.extend(value.to_le_bytes());
}

fn put32(to: &mut Vec<u8>, value: u32) {
    to.extend(value.to_le_bytes());
}

/// CRC-32 of ISO 3309, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}
