//! Sets of small numbers.

/// Some numbers, a bit for each; the last word is never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Bits(std::rc::Rc<[u64]>);

fn place(number: u32) -> (usize, u64) {
    (number as usize / 64, 1 << (number % 64))
}

impl FromIterator<u32> for Bits {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Bits {
        let mut words = Vec::new();
        for number in numbers {
            add(&mut words, number);
        }
        Bits(words.into())
    }
}

fn add(words: &mut Vec<u64>, number: u32) {
    let (at, bit) = place(number);
    words.resize(words.len().max(at + 1), 0);
    words[at] |= bit;
}

impl Bits {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, number: u32) -> bool {
        let (at, bit) = place(number);
        self.0.get(at).is_some_and(|word| word & bit != 0)
    }

    /// The same, with that number.
    pub(super) fn with(self, number: u32) -> Bits {
        if self.has(number) {
            return self;
        }
        let mut words = self.0.to_vec();
        add(&mut words, number);
        Bits(words.into())
    }

    /// Whether `whole` has all of them.
    pub(super) fn is_subset(&self, whole: &Bits) -> bool {
        let pairs = self.0.iter().zip(whole.0.iter());
        self.0.len() <= whole.0.len() && pairs.into_iter().all(|(a, b)| a & !b == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_equal_however_they_came_about() {
        let some: Bits = [3, 200, 64].into_iter().collect();
        let grown = Bits::default().with(64).with(3).with(3).with(200);
        assert_eq!(some, grown);
        assert!(some.has(64) && !some.has(65) && !some.has(5000));
        let fewer: Bits = [3, 64].into_iter().collect();
        assert!(fewer.is_subset(&some) && !some.is_subset(&fewer) && !fewer.is_empty());
        assert!(Bits::default().is_empty() && Bits::default().is_subset(&fewer));
    }
}
