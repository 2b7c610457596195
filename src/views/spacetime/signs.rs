//! Marks on lanes: what happens to a node.

use crate::views::spacetime::arrows::cross;
use crate::views::spacetime::bands::{Mark, Sign};
use crate::views::spacetime::draw::{COLOURS, Pen};
use crate::views::spacetime::html::{escape, px};
use crate::views::spacetime::lanes::Lane;

impl Pen<'_> {
    pub(super) fn mark(&mut self, mark: &Mark) {
        let (x, y) = (self.lanes.x(Lane::Node(mark.node)), self.ruler.y(mark.at));
        let (class, glyph) = glyph(mark.sign, x, y);
        let title = escape(&mark.text);
        let mut svg = format!("<g class=\"mark {class}\"><title>{title}</title>{glyph}");
        let label = mark.label.as_ref();
        // A node takes note of many things: not all of them can be written down.
        if let Some((label, at)) =
            label.and_then(|label| Some((label, self.place(x + 14.0, y - 4.0, label)?)))
        {
            svg.push_str(&format!(
                "<text x=\"{}\" y=\"{}\">{}</text>",
                px(x + 14.0),
                px(at),
                escape(label)
            ));
        }
        svg.push_str("</g>");
        self.add(y - 18.0, y + 26.0, svg);
    }
}

fn glyph(sign: Sign, x: f64, y: f64) -> (String, String) {
    let shape = |d: String| format!("<path d=\"{d}\"/>");
    let square = |half: f64| {
        let (l, t) = (px(x - half), px(y - half));
        format!(
            "<rect x=\"{l}\" y=\"{t}\" width=\"{0}\" height=\"{0}\"/>",
            px(2.0 * half)
        )
    };
    match sign {
        Sign::Start => (
            "start".to_owned(),
            shape(format!("M{} {}l5 7h-10z", px(x), px(y - 2.0))),
        ),
        Sign::Death => ("death".to_owned(), shape(cross(x, y))),
        Sign::Fault => (
            "fault".to_owned(),
            shape(format!("M{} {}l6 6l-6 6l-6 -6z", px(x), px(y - 6.0))),
        ),
        Sign::Mend => (
            "mend".to_owned(),
            format!("<circle cx=\"{}\" cy=\"{}\" r=\"4\"/>", px(x), px(y)),
        ),
        Sign::Leads(term) => (
            format!("leads t{}", term % COLOURS),
            format!("<circle cx=\"{}\" cy=\"{}\" r=\"8\"/>", px(x), px(y)),
        ),
        Sign::Stored => ("stored".to_owned(), square(3.5)),
        Sign::Snapshot => ("snapshot".to_owned(), square(5.0)),
        Sign::Lost => ("gone".to_owned(), shape(cross(x, y))),
    }
}
