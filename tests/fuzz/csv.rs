//! Bytes of CSV files: whatever they are, there is a table or an error with its place.

use indexmap::IndexMap;
use runner::artifact::Table;
use runner::tabular::{Derivation, Dialect, Filter, Input, LoadOptions, header, load};
use serde_json::json;

use super::fuzz;
use crate::workspace::songs;

fn options(variant: u8) -> LoadOptions {
    let derive: IndexMap<String, Derivation> = serde_json::from_value(
        json!({"year": {"year_of": "day"}, "n": {"number_of": "day"}, "days": {"days_of": "day", "since": "2020-01-01"}, "hour": {"hour_of": "day", "format": "%H:%M"},
            "both": {"joined": ["day", "tempo"]}, "has": {"has": "a", "of": "day"}, "long": {"length_of": "both"}, "log": {"log_of": "tempo"}, "wave": {"sin_of": "tempo", "period": 12}}),
    )
    .expect("derivations");
    let filter: Filter =
        serde_json::from_value(json!({"tempo": {"min": 1}, "title": {"not": ["x"]}})).expect("a filter");
    match variant % 4 {
        0 => LoadOptions::default(),
        1 => LoadOptions { label: Some("genre".to_owned()), ..LoadOptions::default() },
        2 => LoadOptions { derive, where_: filter, drop: vec!["artist".to_owned()], ..LoadOptions::default() },
        _ => LoadOptions { dialect: Dialect { delimiter: ';', ..Dialect::default() }, ..LoadOptions::default() },
    }
}

#[test]
fn any_bytes_are_a_table_or_an_error() {
    let seeds = [
        songs(12).into_bytes(),
        b"id;title;tempo;day;genre\n1;\"a;b\";120.5;2001-02-03;rock\n2;\"say \"\"x\"\"\";NA;1999;rap\n".to_vec(),
        b"\xef\xbb\xbftitle,tempo,day,genre\r\n\xe6\x97\xa5,1e5,2020-01,pop\r\n,,,\r\nx,-0,3,\"multi\nline\"\r\n"
            .to_vec(),
        b"a\n9007199254740993\n-1\n".to_vec(),
        b"only,a,header\n".to_vec(),
    ];
    let words = [
        "\"",
        "\"\"",
        ",",
        ";",
        "\r\n",
        "\r",
        "\n",
        "NA",
        "nan",
        "inf",
        "-inf",
        "1e400",
        "9223372036854775808",
        "true",
        "\0",
        "\u{feff}",
        "row_id",
        "record",
        "label",
    ];
    fuzz("csv", &seeds, &words, |bytes| {
        let options = options(bytes.len() as u8);
        let first = header("fuzz.csv", std::io::Cursor::new(bytes), &options.dialect);
        let inputs = [Input { name: "all", path: "fuzz.csv", bytes }];
        match load(&inputs, &options) {
            Ok(loaded) => {
                assert!(first.is_ok(), "a file whose header is refused was loaded");
                let table = Table::new(loaded.batch);
                let again = Table::from_ipc(&table.to_ipc().expect("written")).expect("read");
                assert_eq!(again.rows(), table.rows());
                table.digests().expect("every type can be kept");
            }
            Err(errors) => {
                assert!(!errors.is_empty());
                let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
                assert!(texts.iter().all(|text| !text.is_empty() && text.len() < 20_000), "an endless message");
            }
        }
    });
}
