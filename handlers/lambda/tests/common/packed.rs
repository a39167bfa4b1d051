//! Kinesis records in which the producer library packed several:
//! [the format](https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md).

#![allow(dead_code, reason = "each test needs a part of it")]

use md5::{Digest, Md5};

/// A field of bytes, as Protocol Buffers write it.
fn field(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut field = vec![tag << 3 | 2];
    let mut length = value.len();
    while length >= 0x80 {
        field.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend_from_slice(value);
    field
}

/// Packs records: their partition keys and bodies.
pub fn packed(records: &[(impl AsRef<str>, impl AsRef<[u8]>)]) -> Vec<u8> {
    let keys = records.iter().flat_map(|(key, _)| field(1, key.as_ref().as_bytes()));
    // Each names its place in the table of keys, where equal ones may stand beside each other.
    let packed = records.iter().enumerate().flat_map(|(place, (_, body))| {
        let key_index = [1 << 3, u8::try_from(place).expect("few records")];
        field(3, &[&key_index[..], &field(3, body.as_ref())].concat())
    });
    around(&keys.chain(packed).collect::<Vec<u8>>())
}

/// A record of that form which cannot be taken apart: its digest is right, and a field is longer than all of it.
pub fn torn(note: &[u8]) -> Vec<u8> {
    around(&[note, &[1 << 3 | 2, 0xff, 0x7f]].concat())
}

fn around(message: &[u8]) -> Vec<u8> {
    [&[0xf3, 0x89, 0x9a, 0xc2], message, &Md5::digest(message)[..]].concat()
}
