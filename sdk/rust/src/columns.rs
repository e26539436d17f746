//! Tables of numbers, and statistics of their columns with [`crate::vector`].

use std::fmt;

use crate::{IntoResponse, Response, vector};

/// Columns of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
}

/// What is wrong with a table or a question about it. As a response, it is 400 with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadTable(String);

/// A column in numbers. Of no numbers all but the count and the sum are NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "they are what they are called")]
pub struct Stats {
    pub count: usize,
    pub sum: f64,
    pub mean: f64,
    pub min: f64,
    pub max: f64,
    /// That of a whole population: divided by the count.
    pub stddev: f64,
}

impl fmt::Display for BadTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadTable {}

impl IntoResponse for BadTable {
    fn into_response(self) -> Response {
        Response::error(400, self.0)
    }
}

impl Table {
    /// Reads CSV: a line of names, then lines of as many numbers. Lines may end with CR LF; blanks
    /// around a name or number are left out, and so are empty lines. Quotes are not known.
    ///
    /// # Errors
    /// What is wrong, with the number of the line.
    pub fn read(text: &str) -> Result<Self, BadTable> {
        let lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()));
        let mut lines = lines.filter(|(_, line)| !line.is_empty());
        let Some((at, first)) = lines.next() else {
            return Err(BadTable(
                "line 1: the names of the columns are missing".to_owned(),
            ));
        };
        let names = names(first).map_err(|problem| BadTable(format!("line {at}: {problem}")))?;
        let mut columns = vec![Vec::new(); names.len()];
        for (at, line) in lines {
            let fields = line.split(',').count();
            if fields != names.len() {
                let names = names.len();
                return Err(BadTable(format!(
                    "line {at} has {fields} numbers, but there are {names} names"
                )));
            }
            for (column, field) in columns.iter_mut().zip(line.split(',')) {
                let bad = || BadTable(format!("line {at}: {:?} is not a number", field.trim()));
                column.push(number(field.trim()).ok_or_else(bad)?);
            }
        }
        Ok(Self { names, columns })
    }

    /// The names of the columns, in their order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The numbers of a column.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn column(&self, name: &str) -> Result<&[f64], BadTable> {
        let at = self.names.iter().position(|known| known == name);
        let missing = || {
            BadTable(format!(
                "there is no column {name:?}; there are {}",
                self.names.join(", ")
            ))
        };
        at.map(|at| &*self.columns[at]).ok_or_else(missing)
    }
}

/// A finite number in decimal notation; `None` for another text.
pub fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn names(line: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    for name in line.split(',').map(str::trim) {
        if name.is_empty() {
            return Err("a column has no name".to_owned());
        }
        if names.iter().any(|other| other == name) {
            return Err(format!("two columns are named {name:?}"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// The statistics of a column.
pub fn stats(x: &[f64]) -> Stats {
    let sum = vector::sum(x);
    let mean = sum / x.len() as f64;
    let (min, max) = vector::min_max(x).unwrap_or((f64::NAN, f64::NAN));
    let centred = centred(x, mean);
    Stats {
        count: x.len(),
        sum,
        mean,
        min,
        max,
        stddev: (vector::dot(&centred, &centred) / x.len() as f64).sqrt(),
    }
}

/// A column mapped to 0..1: its least number to 0 and its largest to 1. Equal numbers are all 0.
pub fn normalize(x: &[f64]) -> Vec<f64> {
    let Some((low, high)) = vector::min_max(x).filter(|(low, high)| low != high) else {
        return vec![0.0; x.len()];
    };
    let mut result = centred(x, low);
    vector::scale(&mut result, 1.0 / (high - low));
    result
}

/// Pearson's correlation, -1 to 1; NaN if a column is constant.
///
/// # Panics
/// If the columns are not equally long.
pub fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let mean = |x: &[f64]| vector::sum(x) / x.len() as f64;
    let (x, y) = (centred(x, mean(x)), centred(y, mean(y)));
    vector::dot(&x, &y) / (vector::dot(&x, &x) * vector::dot(&y, &y)).sqrt()
}

/// The sum of each number times its weight.
///
/// # Panics
/// If the columns are not equally long.
pub fn weighted_sum(x: &[f64], weights: &[f64]) -> f64 {
    vector::dot(x, weights)
}

fn centred(x: &[f64], around: f64) -> Vec<f64> {
    let mut result = x.to_vec();
    vector::map_linear(&mut result, 1.0, -around);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_table_says_where() {
        for (text, problem) in [
            ("", "line 1: the names of the columns are missing"),
            ("\n \n", "line 1: the names of the columns are missing"),
            ("a,,b\n", "line 1: a column has no name"),
            ("\na,a\n", "line 2: two columns are named \"a\""),
            (
                "a,b\n1,2\n\n3\n",
                "line 4 has 1 numbers, but there are 2 names",
            ),
            ("a,b\n1,2,\n", "line 2 has 3 numbers, but there are 2 names"),
            ("a,b\n1, x \n", "line 2: \"x\" is not a number"),
            ("a\n1e400\n", "line 2: \"1e400\" is not a number"),
            ("a\nNaN\n", "line 2: \"NaN\" is not a number"),
            ("a\ninf\n", "line 2: \"inf\" is not a number"),
        ] {
            assert_eq!(
                Table::read(text),
                Err(BadTable(problem.to_owned())),
                "{text:?}"
            );
        }
        let table = Table::read("a,b\r\n1,2\r\n3,4").unwrap();
        assert_eq!(table.column("b").unwrap(), [2.0, 4.0]);
        assert_eq!(
            table.column("c").unwrap_err().to_string(),
            "there is no column \"c\"; there are a, b"
        );
    }

    #[test]
    fn a_column_of_large_numbers_keeps_its_deviation() {
        let stats = stats(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0]);
        assert!(
            (stats.stddev - (2.0_f64 / 3.0).sqrt()).abs() < 1e-12,
            "{stats:?}"
        );
    }

    #[test]
    fn columns_without_spread_have_no_correlation_and_normalize_to_zero() {
        assert!(correlation(&[1.0, 1.0], &[1.0, 2.0]).is_nan());
        assert_eq!(normalize(&[7.0, 7.0]), [0.0, 0.0]);
        assert_eq!(normalize(&[]), Vec::<f64>::new());
        assert!(stats(&[]).mean.is_nan());
    }
}
