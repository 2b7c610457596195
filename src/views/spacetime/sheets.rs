//! The picture in pieces, each as high as a page: so it can be printed, and is drawn only where one looks.

use crate::views::spacetime::chart::Chart;
use crate::views::spacetime::draw::{Shape, shapes};
use crate::views::spacetime::html::{escape, px};
use crate::views::spacetime::lanes::Lanes;
use crate::views::spacetime::ruler::Ruler;
use crate::views::story::{Sentence, Tone, stamp};

/// How high a sheet is, at least and at most, if that can be.
const LEAST: f64 = 420.0;
const MOST: f64 = 880.0;

/// How high the least sentence is.
const SENTENCE: f64 = 24.0;

/// All sheets, one below the other.
pub(super) fn sheets(chart: &Chart, ruler: &Ruler) -> String {
    let shapes = shapes(chart, ruler);
    let edges = edges(ruler, &shapes);
    let width = Lanes::of(chart).width();
    let sheets = edges
        .windows(2)
        .map(|pair| sheet(chart, ruler, &shapes, width, (pair[0], pair[1])));
    sheets.collect()
}

fn sheet(
    chart: &Chart,
    ruler: &Ruler,
    shapes: &[Shape],
    width: f64,
    (top, bottom): (f64, f64),
) -> String {
    let height = bottom - top;
    let drawn = shapes
        .iter()
        .filter(|shape| shape.bottom >= top && shape.top <= bottom);
    let svg: String = drawn.map(|shape| shape.svg.as_str()).collect();
    let told = chart.sentences.iter().zip(&ruler.sentences).enumerate();
    let here = told.filter(|(_, (_, y))| (top..bottom).contains(*y));
    let items: String = here
        .map(|(number, (sentence, y))| item(&chart.sentences[..number], sentence, y - top))
        .collect();
    format!(
        "<section class=\"sheet\" style=\"height:{h}px\">\n<svg viewBox=\"0 {t} {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" aria-label=\"messages between nodes\">{svg}</svg>\n<ol>{items}</ol>\n</section>\n",
        h = px(height),
        t = px(top),
        w = px(width),
    )
}

fn item(before: &[Sentence], sentence: &Sentence, y: f64) -> String {
    let number = before.len();
    // What is broken, then why that matters.
    let is_second = before.last().is_some_and(|last| last.tone == Tone::Broken);
    let why = if is_second { " why" } else { "" };
    format!(
        "<li id=\"s{number}\" class=\"{}{why}\" style=\"top:{}px\"><a href=\"#t{number}\">{}</a> {}</li>\n",
        tone(sentence.tone),
        px(y - 11.0),
        escape(&stamp(sentence.at)),
        escape(&sentence.text)
    )
}

/// The name of its style.
pub(super) fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Setting => "setting",
        Tone::Fault => "fault",
        Tone::Mend => "mend",
        Tone::Lead => "lead",
        Tone::Client => "asks",
        Tone::Loss => "loss",
        Tone::Broken => "broken",
    }
}

/// Where the picture is divided: between what is drawn, if that can be.
fn edges(ruler: &Ruler, shapes: &[Shape]) -> Vec<f64> {
    let mut covered: Vec<(f64, f64)> = shapes
        .iter()
        .map(|shape| (shape.top, shape.bottom))
        .collect();
    let ends = ruler.sentences.iter().skip(1).chain([&ruler.height]);
    let sentences = ruler.sentences.iter().zip(ends);
    covered
        .extend(sentences.map(|(y, next)| (y - 14.0, f64::min(next - 14.0, y + 8.0 * SENTENCE))));
    // Bands go all the way down and may be divided.
    covered.retain(|(top, bottom)| bottom - top < 260.0);
    let mut edges = vec![0.0];
    let mut top = 0.0;
    while ruler.height - top > MOST {
        let candidates = (0..)
            .map(|step| top + MOST - f64::from(step) * 10.0)
            .take_while(|y| *y > top + LEAST);
        let fewest = |y: f64| {
            covered
                .iter()
                .filter(|(above, below)| *above < y && y < *below)
                .count()
        };
        // Of those that divide least, the lowest.
        let best = candidates.min_by_key(|y| fewest(*y));
        top = best.unwrap_or(top + MOST);
        edges.push(top);
    }
    edges.push(ruler.height);
    edges
}
