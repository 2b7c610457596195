//! Values drawn from the bytes that a fuzzer makes up: what it changes in them changes a value, and nothing else.

/// Bytes to draw from. When they are used up, everything drawn is the first or the least of its kind.
pub struct Draw<'a>(&'a [u8]);

impl<'a> Draw<'a> {
    pub fn new(bytes: &'a [u8]) -> Draw<'a> {
        Draw(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((byte, rest)) => {
                self.0 = rest;
                *byte
            }
            None => 0,
        }
    }

    /// A number below `bound`, which is at most 256.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    pub fn chance(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub fn pick<'b, T>(&mut self, all: &'b [T]) -> &'b T {
        &all[self.below(all.len())]
    }

    /// At most `most` bytes, as many as the next byte says.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let length = usize::from(self.byte()).min(most).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    /// Many bytes: as many as the next two bytes say.
    pub fn long(&mut self) -> &'a [u8] {
        let length = u16::from_le_bytes([self.byte(), self.byte()]);
        let (bytes, rest) = self.0.split_at(usize::from(length).min(self.0.len()));
        self.0 = rest;
        bytes
    }

    pub fn text(&mut self, most: usize) -> String {
        String::from_utf8_lossy(self.bytes(most)).into_owned()
    }

    /// Eight bytes, as they are.
    pub fn whole(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// A number: mostly small, now and then at the edge of what is sound, of a double, or of 64 bits.
    pub fn number(&mut self) -> u64 {
        match self.byte() {
            small @ 0..=199 => u64::from(small % 32),
            wide @ 200..=219 => 1 << (wide - 200),
            220..=229 => self.whole() >> 11,
            near @ 230..=239 => (1 << 53) - 5 + u64::from(near - 230),
            240..=247 => self.whole(),
            last => u64::MAX - u64::from(255 - last),
        }
    }
}
