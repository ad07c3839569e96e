//! How a file is to be read, as far as it shows: encoding, delimiter, quotes, header, numbers. For who begins a study: each choice comes with its reason,
//! to be read and changed, and nothing else rests on it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use csv::{Reader, ReaderBuilder, StringRecord};

use super::columnar::Format;
use super::contents::Contents;
use super::dialect::{Dialect, Encoding, Quote};
use super::encoding::check_text;
use super::error::{CsvError, Problem};
use super::extent::Extent;
use super::input::Input;
use super::numerals::Numerals;
use super::records::{Marks, loosely_quoted};
use super::separators::{Decimal, Thousands};
use super::token::{Token, classify};
use super::words::quoted;

/// As much of a text is looked at.
const SAMPLE: usize = 1 << 23;

/// As much of it will do for the delimiter.
const BEGINNING: usize = 1 << 18;

/// Records that headers and numbers are looked for in.
const RECORDS: usize = 2000;

const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// A dialect, and why each of its settings that is not the usual one is as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sniffed {
    /// How the files are to be read.
    pub dialect: Dialect,
    /// By setting, in the order in which they are written.
    pub reasons: Vec<(&'static str, String)>,
}

/// Looks at files that are to be read in one way; the first one decides, but for quotes. An `encoding` that is given is not looked for, and a first
/// record that has the name of a `column` that is known is a header.
///
/// # Errors
/// If the first is no text, or in no encoding that can be told.
pub fn sniff(inputs: &[Input], encoding: Option<Encoding>, column: Option<&str>) -> Result<Sniffed, Vec<CsvError>> {
    let mut sniffed = Sniffed::default();
    let Some(first) = inputs.first().filter(|input| Format::of(input.bytes).is_none()) else { return Ok(sniffed) };
    let text = |input: &Input, encoding: Option<Encoding>| -> Result<Vec<u8>, CsvError> {
        let dialect = Dialect { encoding, ..Dialect::default() };
        let contents = Contents::of_text(input.path, input.bytes, &dialect, Extent::Whole, &|| false)?;
        Ok(contents.text.into_owned())
    };
    let plain = text(first, encoding).map_err(|error| vec![error])?;
    if let Some(encoding) = encoding {
        sniffed.dialect.encoding = Some(encoding);
        sniffed.reasons.push(("encoding", "As asked for.".to_owned()));
    } else if let Err(error) = check_text(first.path, &plain) {
        let (encoding, reason) = match error.problem.as_ref() {
            Problem::Utf16(encoding) => (Some(*encoding), "Every other byte is zero".to_owned()),
            Problem::NotUtf8(damage) => (damage.encoding(), damage.extent()),
            _ => (None, String::new()),
        };
        sniffed.dialect.encoding = encoding;
        match encoding {
            Some(encoding) => sniffed.reasons.push(("encoding", format!("{reason}, so {encoding} is likely."))),
            None => return Err(vec![error]),
        }
    }
    let mut samples = Vec::new();
    for input in inputs.iter().filter(|input| Format::of(input.bytes).is_none()) {
        // What is wrong with the others is told when they are read.
        let bytes = text(input, sniffed.dialect.encoding).unwrap_or_default();
        samples.push(start(&String::from_utf8_lossy(&bytes), SAMPLE));
    }
    let Some(sample) = samples.first() else { return Ok(sniffed) };
    sniff_marks(&samples, &mut sniffed);
    let records = records(sample, &sniffed.dialect, RECORDS);
    let is_named = |first: &StringRecord| column.is_some_and(|name| first.iter().any(|cell| cell.trim() == name));
    if let Some(reason) = headless(&records).filter(|_| !records.first().is_some_and(is_named)) {
        sniffed.dialect.header = false;
        sniffed.reasons.push(("header", reason));
    }
    let body = &records[usize::from(sniffed.dialect.header).min(records.len())..];
    sniff_numerals(body, &mut sniffed);
    Ok(sniffed)
}

/// The start of a text, without the line that is cut.
fn start(text: &str, length: usize) -> String {
    let text = text.trim_start_matches('\u{feff}');
    if text.len() <= length {
        return text.to_owned();
    }
    let start = &text[..text.floor_char_boundary(length)];
    start[..start.rfind('\n').map_or(start.len(), |end| end + 1)].to_owned()
}

fn records(text: &str, dialect: &Dialect, most: usize) -> Vec<StringRecord> {
    reader(text, dialect).into_records().flatten().take(most).collect()
}

fn reader<'t>(text: &'t str, dialect: &Dialect) -> Reader<&'t [u8]> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(dialect.delimiter as u8);
    match dialect.quote_byte() {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    builder.from_reader(text.as_bytes())
}

/// How evenly a delimiter and a quote cut a text.
struct Cut {
    fields: usize,
    records: usize,
    /// Records with as many fields as the first.
    same: usize,
    /// Whether text stands behind closing quotes, a quote is never closed, or records reach over several lines.
    is_loose: bool,
}

impl Cut {
    fn of(text: &str, delimiter: char, quote: Quote) -> Cut {
        let dialect = Dialect { delimiter, quote, ..Dialect::default() };
        let (mut fields, mut records, mut same) = (0, 0, 0);
        for record in reader(text, &dialect).into_byte_records().flatten() {
            if records == 0 {
                fields = record.len();
            }
            records += 1;
            same += usize::from(record.len() == fields);
        }
        let marks = Marks { delimiter: delimiter as u8, quote: dialect.quote_byte() };
        let lines = || text.lines().filter(|line| !line.trim_end_matches('\r').is_empty());
        let is_loose = marks.quote.is_some_and(|quote| text.contains(char::from(quote)))
            && (lines().count() != records || lines().any(|line| !loosely_quoted(line, marks).is_empty()));
        Cut { fields, records, same, is_loose }
    }

    fn is_even(&self) -> bool {
        self.records > 0 && self.same == self.records
    }
}

fn sniff_marks(samples: &[String], sniffed: &mut Sniffed) {
    let Some(first) = samples.first() else { return };
    let beginning = start(first, BEGINNING);
    let quotes = [Quote::default(), Quote::None, Quote::Character('\'')];
    let mut best: Option<((bool, usize), char, Cut)> = None;
    for delimiter in DELIMITERS {
        for quote in quotes {
            let cut = Cut::of(&beginning, delimiter, quote);
            // Line breaks and delimiters inside of quotes disturb some lines.
            if cut.fields < 2 || 10 * cut.same < 7 * cut.records {
                continue;
            }
            let score = (cut.is_even(), cut.same * cut.fields);
            if best.as_ref().is_none_or(|(most, ..)| score > *most) {
                best = Some((score, delimiter, cut));
            }
        }
    }
    let delimiter = match best {
        Some((_, delimiter, cut)) => {
            if delimiter != ',' {
                let reason = format!("Cuts {} of {} lines into {} fields.", cut.same, cut.records, cut.fields);
                sniffed.reasons.push(("delimiter", reason));
            }
            delimiter
        }
        None => ',',
    };
    sniffed.dialect.delimiter = delimiter;
    let even = |quote: Quote| samples.iter().all(|sample| Cut::of(sample, delimiter, quote).is_even());
    let is_loose = || samples.iter().any(|sample| Cut::of(sample, delimiter, Quote::default()).is_loose);
    if (is_loose() || !even(Quote::default())) && even(Quote::None) && !are_enclosed(first, delimiter, '"') {
        sniffed.dialect.quote = Quote::None;
        let reason =
            "Every line has as many fields where quotes are characters as others, and not where they enclose fields.";
        sniffed.reasons.push(("quote", reason.to_owned()));
    } else if samples.iter().any(|sample| sample.contains('"'))
        && !samples.iter().any(|sample| opens(sample, delimiter))
    {
        sniffed.dialect.quote = Quote::None;
        sniffed.reasons.push(("quote", "Quotes stand within fields, and around none.".to_owned()));
    } else if are_enclosed(first, delimiter, '\'') && even(Quote::Character('\'')) {
        sniffed.dialect.quote = Quote::Character('\'');
        sniffed.reasons.push(("quote", "Encloses most fields that are no numbers.".to_owned()));
    }
}

/// Whether a double quote stands at the start of a field.
fn opens(text: &str, delimiter: char) -> bool {
    text.lines().any(|line| line.split(delimiter).any(|field| field.starts_with('"')))
}

/// Whether most fields that are no numbers begin or end with this, as those do that it encloses: their own delimiters cut them here.
fn are_enclosed(text: &str, delimiter: char, quote: char) -> bool {
    let dialect = Dialect { delimiter, quote: Quote::None, ..Dialect::default() };
    let records = records(text, &dialect, RECORDS);
    let fields = records.iter().flatten().map(str::trim);
    let (mut words, mut enclosed) = (0, 0);
    for field in fields.filter(|field| !field.is_empty() && field.parse::<f64>().is_err()) {
        words += 1;
        enclosed += usize::from(field.starts_with(quote) || field.ends_with(quote));
    }
    words > 0 && 2 * enclosed > words
}

/// Whether the first record is one as the others, and why.
fn headless(records: &[StringRecord]) -> Option<String> {
    /// With fewer records below it nothing can be told of the first.
    const LEAST: usize = 3;
    let (first, rest) = records.split_first()?;
    if rest.len() < LEAST {
        return None;
    }
    let is_number = |text: &str| matches!(classify(text, true), Token::Integer(_) | Token::Number(_));
    // Years and numbers of questions may well be names.
    let may_be_a_name = |text: &str| text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mut names, mut values) = (0, 0);
    let mut why = Vec::new();
    let mut seen = HashSet::new();
    for (place, name) in first.iter().map(str::trim).enumerate().filter(|(_, name)| !name.is_empty()) {
        let cells: Vec<&str> =
            rest.iter().filter_map(|record| record.get(place)).map(str::trim).filter(|cell| !cell.is_empty()).collect();
        if !seen.insert(name) {
            values += 2;
            why.push(format!("{} stands in it twice", quoted(name)));
        }
        let numbers = cells.iter().filter(|cell| is_number(cell)).count();
        if 10 * numbers >= 9 * cells.len().max(1) {
            match is_number(name) {
                true if may_be_a_name(name) => {}
                true => {
                    values += 1;
                    why.push(format!("{} is a number, as are the values below", quoted(name)));
                }
                false => names += 1,
            }
            continue;
        }
        let again = cells.iter().filter(|cell| **cell == name).count();
        let distinct: HashSet<&&str> = cells.iter().collect();
        let length = |texts: &[&str]| texts.iter().map(|text| text.chars().count()).sum::<usize>() / texts.len().max(1);
        if again > 1 && 100 * again >= cells.len() {
            values += 2;
            why.push(format!("{} occurs {again} times below", quoted(name)));
        } else if again > 0 {
            values += 1;
        } else if distinct.len() <= 30 && 2 * distinct.len() <= cells.len() {
            names += 1;
        } else if length(&cells) >= 20 {
            // Among long texts a name is short.
            match 3 * length(&[name]) >= length(&cells) && name.split_whitespace().count() > 3 {
                true => {
                    values += 1;
                    why.push(format!("{} is a text as those below", quoted(name)));
                }
                false => names += 1,
            }
        }
    }
    (values > names).then(|| {
        format!("The first line is a record as the others: {}.", why.into_iter().take(2).collect::<Vec<_>>().join("; "))
    })
}

fn sniff_numerals(records: &[StringRecord], sniffed: &mut Sniffed) {
    let mut columns: HashMap<usize, Vec<&str>> = HashMap::new();
    for record in records {
        for (place, cell) in record.iter().map(str::trim).enumerate().filter(|(_, cell)| !cell.is_empty()) {
            columns.entry(place).or_default().push(cell);
        }
    }
    let is_number = |numerals: Numerals, cell: &str| {
        let plain: Cow<str> = numerals.plain(cell);
        matches!(classify(&plain, false), Token::Integer(_) | Token::Number(_))
    };
    // Cells of columns that would be numbers.
    let count = |numerals: Numerals| -> usize {
        let of_column = |cells: &Vec<&str>| cells.iter().filter(|cell| is_number(numerals, cell)).count();
        let are_numbers = |cells: &Vec<&str>| Some(of_column(cells)).filter(|numbers| 10 * numbers >= 9 * cells.len());
        columns.values().filter_map(are_numbers).sum()
    };
    let numerals = |decimal, thousands| Numerals { decimal, thousands };
    let comma = [
        numerals(Decimal::Comma, None),
        numerals(Decimal::Comma, Some(Thousands::Point)),
        numerals(Decimal::Comma, Some(Thousands::Space)),
    ];
    let point = [
        numerals(Decimal::Point, Some(Thousands::Comma)),
        numerals(Decimal::Point, Some(Thousands::Apostrophe)),
        numerals(Decimal::Point, Some(Thousands::Space)),
    ];
    // `1,234` may be either: where a comma separates fields it is hardly a decimal one.
    let candidates = if sniffed.dialect.delimiter == ',' { [point, comma] } else { [comma, point] };
    let (mut best, mut most) = (Numerals::default(), count(Numerals::default()));
    for candidate in candidates.into_iter().flatten() {
        let numbers = count(candidate);
        if numbers > most {
            (best, most) = (candidate, numbers);
        }
    }
    if best.are_plain() {
        return;
    }
    (sniffed.dialect.decimal, sniffed.dialect.thousands) = (best.decimal, best.thousands);
    let mut places: Vec<&usize> = columns.keys().collect();
    places.sort();
    let cells = || places.iter().flat_map(|place| &columns[*place]).filter(|cell| is_number(best, cell));
    let example = |has: &dyn Fn(&str) -> bool| cells().find(|cell| has(cell)).map(|cell| quoted(cell));
    let mut tell = |key, what: &str, has: &dyn Fn(&str) -> bool| {
        let shown = example(has).map(|cell| format!(", e.g. {cell}")).unwrap_or_default();
        sniffed.reasons.push((key, format!("{what}{shown}.")));
    };
    if best.decimal == Decimal::Comma {
        tell("decimal", "Fractions stand behind a comma", &|cell| cell.contains(','));
    }
    if let Some(thousands) = best.thousands {
        tell("thousands", "Thousands are set apart", &|cell| cell.contains(|c| thousands.is(c)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: impl AsRef<[u8]>) -> Dialect {
        sniff(&[Input { name: "a", path: "a.csv", bytes: text.as_ref() }], None, None).expect("a text").dialect
    }

    fn delimiter(text: &str) -> char {
        of(text).delimiter
    }

    #[test]
    fn the_delimiter_is_the_one_that_lines_agree_on() {
        assert_eq!(delimiter("a,b,c\n1,2,3\n4,5,6\n"), ',');
        assert_eq!(delimiter("a;b\n\"x,y\";2,5\n\"z\";3,5\n"), ';');
        assert_eq!(delimiter("text\tlabel\nhe said, yes\tp\nno, never, ever\tq\n"), '\t');
        assert_eq!(delimiter("one\ntwo\n"), ',');
    }

    #[test]
    fn quotes_are_those_that_make_lines_even() {
        // Line breaks and delimiters in quotes.
        assert_eq!(of("a,b\n\"x\ny\",1\n\"p,q\",2\n").quote, Quote::default());
        // Quotes as characters, at the start of a field too.
        assert_eq!(of("t\tl\n\"so\" er\tA\nsag \"ja\"\tB\n\"ach\tA\n").quote, Quote::None);
        assert_eq!(of("a,b\n'x,y',1\n'z',2\n").quote, Quote::Character('\''));
        assert_eq!(of("a,b\nit's,1\n'tis,2\n").quote, Quote::default());
    }

    #[test]
    fn a_header_is_missed_where_the_first_line_is_as_the_others() {
        let none = ["ham,hello,1.5\nspam,x,2.5\nham,y,3.5\nham,z,4.5\n", "1.5,2\n2.5,3\n3.5,4\n4.5,5\n"];
        for text in none {
            assert!(!of(text).header, "{text}");
        }
        let some = [
            "label,text,x\nham,a,1\nspam,b,2\nham,c,3\nham,d,4\n",
            "2019,2020\n1.5,2\n2.5,3\n3.5,4\n4.5,5\n",
            "x,y\n1,2\n",
            "title,genre\nTitle,pop\nOmega,rap\nAlpha,pop\nBeta,rap\n",
        ];
        for text in some {
            assert!(of(text).header, "{text}");
        }
        let inputs = [Input { name: "a", path: "a.csv", bytes: b"n,1.50,l\n1,2.5,l\n2,3.5,l\n3,4.5,m\n4,5.5,l\n" }];
        let header = |column: Option<&str>| sniff(&inputs, None, column).expect("a text").dialect.header;
        assert_eq!([None, Some("l"), Some("column_3")].map(header), [false, true, false]);
    }

    #[test]
    fn numbers_are_read_as_most_of_them_are_written() {
        let numerals = |text: &str| (of(text).decimal, of(text).thousands);
        let body = |cells: [&str; 4]| cells.map(|cell| format!("{cell};u\n")).concat();
        assert_eq!(numerals(&format!("x;y\n{}", body(["1,5", "2,25", "3", "4,0"]))), (Decimal::Comma, None));
        let german = format!("x;y\n{}", body(["1.234,5", "2,25", "3", "4,0"]));
        assert_eq!(numerals(&german), (Decimal::Comma, Some(Thousands::Point)));
        let english = "x,y\n\"1,234\",u\n\"12,345.5\",v\n7,w\n";
        assert_eq!(numerals(english), (Decimal::Point, Some(Thousands::Comma)));
        assert_eq!(numerals("x;y\n1.5;a,b\n2.5;c,d\n"), (Decimal::Point, None));
    }

    #[test]
    fn the_encoding_is_told_with_its_reason() {
        let latin: Vec<u8> = [b"name,x\n".as_slice(), &b"Zo\xeb,1\n".repeat(9)].concat();
        let sniffed = sniff(&[Input { name: "a", path: "a.csv", bytes: &latin }], None, None).expect("a text");
        assert_eq!(sniffed.dialect.encoding, Some(Encoding::WINDOWS_1252));
        assert_eq!(
            sniffed.reasons,
            [("encoding", "Of 10 lines 9 are no UTF-8, so windows-1252 is likely.".to_owned())]
        );
        let wide: Vec<u8> = "a,b\n1,2\n3,4\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(of(wide).encoding, Some(Encoding::UTF_16LE));
        assert!(
            sniff(&[Input { name: "a", path: "a.csv", bytes: b"t\n\x93\xfa\x96{\x8c\xea\n" }], None, None).is_err()
        );
    }
}
