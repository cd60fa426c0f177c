//! The little of protobuf that BuildKit needs: fields one after the other, never a panic on any bytes.

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A number.
    Number(u64),
    /// Text, bytes or a message inside.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The bytes; none for a number.
    pub(super) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(_) => &[],
        }
    }
    /// The text, with replacement characters for what is none.
    pub(super) fn text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
    /// The number; 0 for bytes.
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Bytes(_) => 0,
        }
    }
}

/// The fields of a message: number and value. Ends at the first byte that makes no sense.
pub(super) fn fields(bytes: &[u8]) -> Fields<'_> {
    Fields(bytes)
}

pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let tag = varint(&mut self.0)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut self.0)?),
            1 => Value::Number(u64::from_le_bytes(take(&mut self.0, 8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(varint(&mut self.0)?).ok()?;
                Value::Bytes(take(&mut self.0, length)?)
            }
            5 => Value::Number(u64::from(u32::from_le_bytes(take(&mut self.0, 4)?.try_into().ok()?))),
            _ => return None,
        };
        Some((tag >> 3, value))
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// A message that is written: fields one after the other; zeros and empty texts are left out, as protobuf has it.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// Adds a number.
    pub(super) fn number(mut self, field: u64, value: u64) -> Self {
        if value != 0 {
            self.varint(field << 3);
            self.varint(value);
        }
        self
    }
    /// Adds text, bytes or a message.
    pub(super) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        if !value.is_empty() {
            self.varint(field << 3 | 2);
            self.varint(value.len() as u64);
            self.0.extend_from_slice(value);
        }
        self
    }
    /// The message.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_wire_types() {
        let bytes = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 1, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0, 0, 0];
        let found: Vec<_> = fields(&bytes).collect();
        let expected =
            [(1, Value::Number(150)), (2, Value::Bytes(b"hi")), (3, Value::Number(1)), (4, Value::Number(2))];
        assert_eq!(found, expected);
    }

    #[test]
    fn cut_or_wrong_bytes_end_it() {
        for bytes in [&[0x08][..], &[0x12, 5, b'h'], &[0x0b], &[0xff; 12], &[0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]] {
            assert_eq!(fields(bytes).count(), 0, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(number in 1u64.., text in prop::collection::vec(any::<u8>(), 1..300)) {
            let message = Writer::default().number(1, number).number(2, 0).bytes(3, &text).finish();
            let found: Vec<_> = fields(&message).collect();
            prop_assert_eq!(found, vec![(1, Value::Number(number)), (3, Value::Bytes(&text))]);
        }

        #[test]
        fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            for (_, value) in fields(&bytes) {
                value.text();
                value.number();
            }
        }
    }
}
