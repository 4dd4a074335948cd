//! Tables and sections, line by line, and what fits into a line.

use std::borrow::Cow;

use console::{Alignment, measure_text_width, pad_str};
use modelkeep::printable;

/// Returns a table without rules, line by line; the columns of `numbers` are aligned right.
pub(crate) fn table<Row: IntoIterator<Item = String>>(
    header: impl IntoIterator<Item = &'static str>,
    rows: impl IntoIterator<Item = Row>,
    numbers: &[usize],
) -> Vec<String> {
    let header = header.into_iter().map(str::to_owned).collect();
    let rows = rows.into_iter().map(|row| row.into_iter().collect());
    let mut rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    make_printable(&mut rows);
    aligned(&rows, numbers)
}

/// Columns are so far apart.
const GAP: usize = 2;

fn make_printable(rows: &mut [Vec<String>]) {
    for cell in rows.iter_mut().flatten() {
        if let Cow::Owned(escaped) = printable(cell) {
            *cell = escaped;
        }
    }
}

/// Returns how wide each column is.
fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = measure_text_width(cell).max(*width);
        }
    }
    widths
}

fn aligned(rows: &[Vec<String>], numbers: &[usize]) -> Vec<String> {
    let widths = widths(rows);
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let alignment = match numbers.contains(&column) {
                true => Alignment::Right,
                false => Alignment::Left,
            };
            if column > 0 {
                line.extend([' '; GAP]);
            }
            line += &pad_str(cell, *width, alignment, None);
        }
        line.truncate(line.trim_end().len());
        line
    };
    rows.iter().map(line).collect()
}

/// Returns a text of no more than so many characters, with its middle left out where it has more:
/// the ends of a name, its host and its tag, say the most.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let (start, end) = (kept / 2, kept - kept / 2);
    let head = text.chars().take(start);
    let tail = text.chars().skip(count - end);
    head.chain(['\u{2026}']).chain(tail).collect()
}

/// Returns a section of keys and values with its title, line by line; nothing where there are none.
pub(crate) fn section(title: &str, rows: Vec<[String; 2]>) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let rows = table(["", ""], rows, &[]).into_iter().skip(1);
    let mut lines = vec![title.to_owned()];
    lines.extend(rows.map(|line| format!("  {line}")));
    lines.push(String::new());
    lines
}

/// A table that is made to fit a terminal.
pub(crate) struct Fitting<'a> {
    pub header: &'a [&'static str],
    /// The columns of numbers.
    pub numbers: &'a [usize],
    /// The columns whose texts may be shortened, the first to be shortened first.
    pub shrinking: &'a [usize],
}

/// No text is made shorter than this.
const SHORTEST: usize = 16;

impl Fitting<'_> {
    /// Returns the table, its texts as short as that width wants them.
    pub(crate) fn lines(&self, rows: Vec<Vec<String>>, width: Option<u16>) -> Vec<String> {
        let header = self.header.iter().map(|&title| title.to_owned());
        let mut rows: Vec<_> = std::iter::once(header.collect()).chain(rows).collect();
        make_printable(&mut rows);
        for &column in self.shrinking {
            let widths = widths(&rows);
            let taken = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
            let too_wide = width.and_then(|width| taken.checked_sub(usize::from(width)));
            let Some(too_wide @ 1..) = too_wide else {
                break;
            };
            let widest = widths.get(column).copied().unwrap_or(0);
            let room = widest.saturating_sub(too_wide).max(SHORTEST);
            let cells = rows.iter_mut().skip(1);
            for cell in cells.filter_map(|row| row.get_mut(column)) {
                *cell = shortened(cell, room);
            }
        }
        aligned(&rows, self.numbers)
    }
}

/// Returns a text in which every digest has the twelve digits of an ID.
pub(crate) fn with_short_digests(text: &str) -> String {
    const KEPT: usize = 12;
    let mut short = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("sha256:") {
        let (before, digest) = rest.split_at(at + "sha256:".len());
        short.push_str(before);
        let digits = digest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (digits, after) = digest.split_at(digits);
        match digits.get(..KEPT) {
            Some(kept) if digits.len() == 64 => short.push_str(kept),
            _ => short.push_str(digits),
        }
        rest = after;
    }
    short + rest
}

/// Returns the first names of several, and how many more there are.
pub(crate) fn few(names: impl IntoIterator<Item = impl ToString>) -> String {
    const FEW: usize = 3;
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    match names.get(..FEW) {
        Some(first) if names.len() > FEW + 1 => {
            format!("{} and {} others", first.join(", "), names.len() - FEW)
        }
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_cut_to_the_digits_that_lead_to_it() {
        let digits = "0123456789abcdef".repeat(4);
        let text = format!("a sha256:{digits}: bad; sha256:12 sha256:{digits}");
        let short = "sha256:0123456789ab";
        assert_eq!(
            with_short_digests(&text),
            format!("a {short}: bad; sha256:12 {short}")
        );
    }

    #[test]
    fn only_whole_digests_are_cut() {
        let digits = "0123456789abcdef".repeat(4);
        for (text, short) in [
            (format!("sha256:{digits}"), "sha256:0123456789ab"),
            (format!("a sha256:{digits}: b"), "a sha256:0123456789ab: b"),
            (format!("sha256:{digits}0"), &*format!("sha256:{digits}0")),
            (format!("sha256-{digits}"), &*format!("sha256-{digits}")),
            ("sha256:".to_owned(), "sha256:"),
            ("sha256:\u{e9}".to_owned(), "sha256:\u{e9}"),
        ] {
            assert_eq!(with_short_digests(&text), short);
        }
    }

    #[test]
    fn of_many_names_some_are_said() {
        assert_eq!(few(["a", "b", "c", "d"]), "a, b, c, d");
        assert_eq!(few(["a", "b", "c", "d", "e"]), "a, b, c and 2 others");
        assert_eq!(few([""; 0]), "");
    }

    #[test]
    fn the_columns_that_may_are_shortened_one_after_the_other() {
        let fitting = Fitting {
            header: &["A", "B", "N"],
            numbers: &[2],
            shrinking: &[1, 0],
        };
        let row = vec!["a".repeat(30), "b".repeat(50), "1".to_owned()];
        let widths = |width| {
            let lines = fitting.lines(vec![row.clone()], width);
            let line = lines.last().cloned().unwrap_or_default();
            let of = |letter| line.chars().filter(|it| *it == letter).count();
            (line.chars().count(), of('a'), of('b'))
        };
        assert_eq!(widths(None), (85, 30, 50));
        assert_eq!(widths(Some(70)), (70, 30, 34));
        assert_eq!(widths(Some(50)), (50, 28, 15));
        assert_eq!(widths(Some(10)), (37, 15, 15));
    }
}
