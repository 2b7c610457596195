//! Text in a page.

pub(super) use crate::views::lanes::escape;

/// A number of pixels, without more digits than one can see.
pub(super) fn px(number: f64) -> String {
    let tenths = (number * 10.0).round() as i64;
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        _ => format!("{}", tenths as f64 / 10.0),
    }
}

/// The first letters of `text`.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text
            .chars()
            .take(most.saturating_sub(1))
            .chain(['…'])
            .collect(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_a_number_is_short() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!([px(12.0), px(3.26), px(-0.04)], ["12", "3.3", "0"]);
    }
}
