//! Formulas: a part of LaTeX's mathematics, read into a tree that each typesetter gets in its own words.
//!
//! Only what is in the tables below is understood, so that no formula reaches a typesetter as source: there is nothing that could be taken for a
//! command.

use std::fmt::Write as _;

/// A formula.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula(Vec<Node>);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// A letter, a digit or a sign.
    Sign(char),
    /// A command that stands for one sign, or for a function's name.
    Symbol(&'static Symbol),
    /// A function's name of the author's own, upright: `\operatorname{softmax}`.
    Operator(String),
    /// Words within a formula.
    Text(String),
    Group(Vec<Node>),
    /// Above and below the line, each as far as it is there.
    Scripts {
        base: Box<Node>,
        below: Option<Vec<Node>>,
        above: Option<Vec<Node>>,
    },
    Fraction(Vec<Node>, Vec<Node>),
    Root(Vec<Node>),
    /// A mark over letters or another face of them.
    Dressed(&'static Dress, Vec<Node>),
    /// Between delimiters that grow with it.
    Fenced {
        open: char,
        inner: Vec<Node>,
        close: char,
    },
}

#[derive(Debug, PartialEq)]
struct Symbol {
    latex: &'static str,
    typst: &'static str,
    /// How it reads in plain text.
    plain: &'static str,
}

#[derive(Debug, PartialEq)]
struct Dress {
    latex: &'static str,
    typst: [&'static str; 2],
}

const fn symbol(latex: &'static str, typst: &'static str, plain: &'static str) -> Symbol {
    Symbol { latex, typst, plain }
}

const fn dress(latex: &'static str, before: &'static str, after: &'static str) -> Dress {
    Dress { latex, typst: [before, after] }
}

static SYMBOLS: &[Symbol] = &[
    symbol("alpha", "alpha", "α"),
    symbol("beta", "beta", "β"),
    symbol("gamma", "gamma", "γ"),
    symbol("delta", "delta", "δ"),
    symbol("epsilon", "epsilon.alt", "ε"),
    symbol("varepsilon", "epsilon", "ε"),
    symbol("zeta", "zeta", "ζ"),
    symbol("eta", "eta", "η"),
    symbol("theta", "theta", "θ"),
    symbol("kappa", "kappa", "κ"),
    symbol("lambda", "lambda", "λ"),
    symbol("mu", "mu", "μ"),
    symbol("nu", "nu", "ν"),
    symbol("xi", "xi", "ξ"),
    symbol("pi", "pi", "π"),
    symbol("rho", "rho", "ρ"),
    symbol("sigma", "sigma", "σ"),
    symbol("tau", "tau", "τ"),
    symbol("phi", "phi.alt", "φ"),
    symbol("varphi", "phi", "φ"),
    symbol("chi", "chi", "χ"),
    symbol("psi", "psi", "ψ"),
    symbol("omega", "omega", "ω"),
    symbol("Gamma", "Gamma", "Γ"),
    symbol("Delta", "Delta", "Δ"),
    symbol("Theta", "Theta", "Θ"),
    symbol("Lambda", "Lambda", "Λ"),
    symbol("Sigma", "Sigma", "Σ"),
    symbol("Phi", "Phi", "Φ"),
    symbol("Omega", "Omega", "Ω"),
    symbol("ell", "ell", "ℓ"),
    symbol("infty", "infinity", "∞"),
    symbol("partial", "partial", "∂"),
    symbol("nabla", "nabla", "∇"),
    symbol("sum", "sum", "Σ"),
    symbol("prod", "product", "Π"),
    symbol("log", "log", "log "),
    symbol("exp", "exp", "exp "),
    symbol("max", "max", "max "),
    symbol("min", "min", "min "),
    symbol("in", "in", "∈"),
    symbol("cdot", "dot.op", "·"),
    symbol("times", "times", "×"),
    symbol("odot", "dot.circle", "⊙"),
    symbol("oplus", "plus.circle", "⊕"),
    symbol("pm", "plus.minus", "±"),
    symbol("le", "lt.eq", "≤"),
    symbol("ge", "gt.eq", "≥"),
    symbol("ne", "eq.not", "≠"),
    symbol("approx", "approx", "≈"),
    symbol("sim", "tilde.op", "∼"),
    symbol("to", "arrow.r", "→"),
    symbol("mid", "divides", "|"),
    symbol("lVert", "bar.v.double", "‖"),
    symbol("rVert", "bar.v.double", "‖"),
    symbol("ldots", "dots.h", "…"),
    symbol("cdots", "dots.h.c", "⋯"),
    symbol("quad", "quad", " "),
    symbol(",", "thin", " "),
    symbol("{", "brace.l", "{"),
    symbol("}", "brace.r", "}"),
];

static DRESSES: &[Dress] = &[
    dress("hat", "hat(", ")"),
    dress("tilde", "tilde(", ")"),
    dress("bar", "overline(", ")"),
    dress("mathbf", "upright(bold(", "))"),
    dress("mathcal", "cal(", ")"),
    dress("mathbb", "bb(", ")"),
    dress("mathrm", "upright(", ")"),
];

/// Signs that stand for themselves; letters and digits do too.
const SIGNS: &str = "+-=<>()[]|,.;:!/'*";
/// Formulas within one another; what people write has five.
const DEEPEST: usize = 32;

impl Formula {
    /// The formula that this source is.
    ///
    /// # Errors
    /// What of it is not understood, and what there is instead.
    pub fn read(source: &str) -> Result<Formula, String> {
        let characters: Vec<char> = source.chars().collect();
        let mut reader = Reader { characters: &characters, at: 0, depth: 0 };
        let nodes = reader.row(&|_| false)?;
        match nodes.is_empty() {
            true => Err("the formula is empty".to_owned()),
            false => Ok(Formula(nodes)),
        }
    }

    /// A formula of this program's own.
    pub(crate) fn ours(source: &'static str) -> Formula {
        Formula::read(source).unwrap_or_else(|error| panic!("{source}: {error}"))
    }

    /// As LaTeX has it, without the dollars around it.
    pub(crate) fn latex(&self) -> String {
        let mut out = String::new();
        latex(&self.0, &mut out);
        out.trim().to_owned()
    }

    /// As Typst has it, without the dollars around it.
    pub(crate) fn typst(&self) -> String {
        let mut out = String::new();
        typst(&self.0, &mut out);
        out.trim().to_owned()
    }

    /// In letters, e.g. for an estimate of its length.
    pub(crate) fn plain(&self) -> String {
        let mut out = String::new();
        plain(&self.0, &mut out);
        out
    }

    /// How many lines it takes, beyond the first by fractions and sums with limits.
    pub(crate) fn is_tall(&self) -> bool {
        self.0.iter().any(|node| match node {
            Node::Fraction(..) => true,
            Node::Scripts { base, .. } => matches!(**base, Node::Symbol(Symbol { latex: "sum" | "prod", .. })),
            Node::Fenced { inner, .. } | Node::Group(inner) => Formula(inner.clone()).is_tall(),
            _ => false,
        })
    }
}

struct Reader<'a> {
    characters: &'a [char],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    /// Nodes up to where `ends` says so, or to the end.
    fn row(&mut self, ends: &dyn Fn(&Reader) -> bool) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        while let Some(character) = self.peek() {
            if ends(self) {
                break;
            }
            if character.is_whitespace() {
                self.at += 1;
                continue;
            }
            let node = self.node()?;
            let node = self.scripts(node)?;
            nodes.push(node);
        }
        Ok(nodes)
    }

    fn scripts(&mut self, base: Node) -> Result<Node, String> {
        let (mut below, mut above) = (None, None);
        while let Some(mark @ ('_' | '^')) = self.peek() {
            self.at += 1;
            let place = if mark == '_' { &mut below } else { &mut above };
            if place.is_some() {
                return Err(format!("two '{mark}' follow one another: put what belongs together in braces"));
            }
            *place = Some(self.argument(&mark.to_string())?);
        }
        Ok(match (&below, &above) {
            (None, None) => base,
            _ => Node::Scripts { base: Box::new(base), below, above },
        })
    }

    fn node(&mut self) -> Result<Node, String> {
        let Some(character) = self.peek() else { return Err("the formula ends too early".to_owned()) };
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("the formula is nested more than {DEEPEST} deep"));
        }
        let node = self.node_of(character)?;
        self.depth -= 1;
        Ok(node)
    }

    fn node_of(&mut self, character: char) -> Result<Node, String> {
        match character {
            '\\' => self.command(),
            '{' => Ok(Node::Group(self.braces("{")?)),
            '}' => Err("'}' closes nothing: write \\} for the sign itself".to_owned()),
            '_' | '^' => Err(format!("'{character}' has nothing before it")),
            _ if character.is_alphanumeric() || SIGNS.contains(character) => {
                self.at += 1;
                Ok(Node::Sign(character))
            }
            _ => Err(format!("'{character}' is not understood in a formula")),
        }
    }

    fn command(&mut self) -> Result<Node, String> {
        self.at += 1;
        let letters: String =
            self.characters[self.at..].iter().take_while(|character| character.is_ascii_alphabetic()).collect();
        let name = match (letters.is_empty(), self.peek()) {
            (false, _) => letters,
            (true, Some(sign)) => sign.to_string(),
            (true, None) => return Err("'\\' ends the formula".to_owned()),
        };
        self.at += name.chars().count();
        match name.as_str() {
            "frac" => Ok(Node::Fraction(self.argument("\\frac")?, self.argument("\\frac")?)),
            "sqrt" => Ok(Node::Root(self.argument("\\sqrt")?)),
            "text" => Ok(Node::Text(self.words("\\text")?)),
            "operatorname" => Ok(Node::Operator(self.words("\\operatorname")?)),
            "left" => self.fenced(),
            "right" => Err("'\\right' has no '\\left' before it".to_owned()),
            _ => {
                if let Some(dress) = DRESSES.iter().find(|dress| dress.latex == name) {
                    return Ok(Node::Dressed(dress, self.argument(&format!("\\{name}"))?));
                }
                let found = SYMBOLS.iter().find(|symbol| symbol.latex == name);
                found.map(Node::Symbol).ok_or_else(|| format!("'\\{name}' is not understood in a formula"))
            }
        }
    }

    /// One node, or what stands in braces.
    fn argument(&mut self, of: &str) -> Result<Vec<Node>, String> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        match self.peek() {
            Some('{') => self.braces(of),
            Some(_) => Ok(vec![self.node()?]),
            None => Err(format!("'{of}' lacks what it is of")),
        }
    }

    fn braces(&mut self, of: &str) -> Result<Vec<Node>, String> {
        self.at += 1;
        let nodes = self.row(&|reader| reader.peek() == Some('}'))?;
        match self.peek() {
            Some('}') => self.at += 1,
            _ => return Err(format!("the brace after '{of}' is never closed")),
        }
        Ok(nodes)
    }

    /// Text in braces, as it stands.
    fn words(&mut self, of: &str) -> Result<String, String> {
        let rest = &self.characters[self.at..];
        let end = rest.iter().position(|character| *character == '}');
        match (rest.first(), end) {
            (Some('{'), Some(end)) => {
                self.at += end + 1;
                let words: String = rest[1..end].iter().collect();
                let is_plain = |c: char| c.is_alphanumeric() || " -.,".contains(c);
                match words.chars().all(is_plain) {
                    true => Ok(words),
                    false => {
                        Err(format!("'{of}{{{words}}}' can hold letters, digits, spaces, hyphens, dots and commas"))
                    }
                }
            }
            _ => Err(format!("'{of}' needs its words in braces")),
        }
    }

    fn fenced(&mut self) -> Result<Node, String> {
        let open = self.delimiter("\\left")?;
        let is_right = |reader: &Reader| reader.characters[reader.at..].starts_with(&['\\', 'r', 'i', 'g', 'h', 't']);
        let inner = self.row(&is_right)?;
        if !is_right(self) {
            return Err("'\\left' has no '\\right' after it".to_owned());
        }
        self.at += "\\right".len();
        Ok(Node::Fenced { open, inner, close: self.delimiter("\\right")? })
    }

    fn delimiter(&mut self, of: &str) -> Result<char, String> {
        match self.peek() {
            Some(sign) if "()[]|".contains(sign) => {
                self.at += 1;
                Ok(sign)
            }
            _ => Err(format!("'{of}' needs one of ( ) [ ] |")),
        }
    }
}

fn latex(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match node {
            Node::Sign(sign) => out.push(*sign),
            Node::Symbol(symbol) => {
                let _ = write!(out, "\\{} ", symbol.latex);
            }
            Node::Operator(name) => {
                let _ = write!(out, "\\operatorname{{{name}}}");
            }
            Node::Text(words) => {
                let _ = write!(out, "\\text{{{words}}}");
            }
            Node::Group(inner) => braced(inner, out),
            Node::Scripts { base, below, above } => {
                latex(std::slice::from_ref(base), out);
                if out.ends_with(' ') {
                    out.pop();
                }
                for (mark, script) in [('_', below), ('^', above)] {
                    if let Some(script) = script {
                        out.push(mark);
                        braced(script, out);
                    }
                }
            }
            Node::Fraction(above, below) => {
                out.push_str("\\frac");
                braced(above, out);
                braced(below, out);
            }
            Node::Root(inner) => {
                out.push_str("\\sqrt");
                braced(inner, out);
            }
            Node::Dressed(dress, inner) => {
                let _ = write!(out, "\\{}", dress.latex);
                braced(inner, out);
            }
            Node::Fenced { open, inner, close } => {
                let _ = write!(out, "\\left{open}");
                latex(inner, out);
                let _ = write!(out, "\\right{close}");
            }
        }
    }
}

fn braced(nodes: &[Node], out: &mut String) {
    out.push('{');
    latex(nodes, out);
    if out.ends_with(' ') && !out.ends_with("\\ ") {
        out.pop();
    }
    out.push('}');
}

fn typst(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match node {
            // Within a call a comma or semicolon would part its arguments, and `/` makes fractions.
            Node::Sign(sign @ (',' | ';' | '/' | '\'')) => {
                let _ = write!(out, "\\{sign} ");
            }
            // A bracket alone is no error, and grows with nothing.
            Node::Sign(sign @ ('(' | ')' | '[' | ']' | '|')) => {
                let _ = write!(out, "\\{sign} ");
            }
            Node::Sign(sign) if sign.is_ascii_digit() || *sign == '.' => out.push(*sign),
            Node::Sign(sign) => {
                let _ = write!(out, " {sign} ");
            }
            Node::Symbol(symbol) => {
                let _ = write!(out, " {} ", symbol.typst);
            }
            Node::Operator(name) => {
                let _ = write!(out, " op(\"{name}\") ");
            }
            Node::Text(words) => {
                let _ = write!(out, " \"{words}\" ");
            }
            Node::Group(inner) => typst(inner, out),
            Node::Scripts { base, below, above } => {
                typst(std::slice::from_ref(base), out);
                while out.ends_with(' ') {
                    out.pop();
                }
                for (mark, script) in [('_', below), ('^', above)] {
                    if let Some(script) = script {
                        let _ = write!(out, "{mark}(");
                        typst(script, out);
                        out.push(')');
                    }
                }
                out.push(' ');
            }
            Node::Fraction(above, below) => call("frac(", ")", &[above, below], out),
            Node::Root(inner) => call("sqrt(", ")", &[inner], out),
            Node::Dressed(Dress { typst: [before, after], .. }, inner) => call(before, after, &[inner], out),
            Node::Fenced { open, inner, close } => {
                let _ = write!(out, " lr(\\{open} ");
                typst(inner, out);
                let _ = write!(out, "\\{close} ) ");
            }
        }
    }
}

fn call(before: &str, after: &str, arguments: &[&[Node]], out: &mut String) {
    let _ = write!(out, " {before}");
    for (i, argument) in arguments.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        typst(argument, out);
    }
    let _ = write!(out, "{after} ");
}

fn plain(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match node {
            Node::Sign(sign) => out.push(*sign),
            Node::Symbol(symbol) => out.push_str(symbol.plain),
            Node::Operator(words) | Node::Text(words) => out.push_str(words),
            Node::Group(inner) | Node::Root(inner) | Node::Dressed(_, inner) => plain(inner, out),
            Node::Scripts { base, below, above } => {
                plain(std::slice::from_ref(base), out);
                below.iter().chain(above).for_each(|script| plain(script, out));
            }
            Node::Fraction(above, below) => {
                plain(above, out);
                out.push('/');
                plain(below, out);
            }
            Node::Fenced { open, inner, close } => {
                out.push(*open);
                plain(inner, out);
                out.push(*close);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Formula;

    const LOSS: &str =
        r"\mathcal{L}(\theta) = -\frac{1}{n}\sum_{i=1}^{n} w_{y_i} \log p_\theta\left(y_i \mid x_i\right)";

    #[test]
    fn a_formula_is_written_for_both_typesetters() {
        let loss = Formula::read(LOSS).expect("a formula");
        assert_eq!(
            loss.latex(),
            r"\mathcal{L}(\theta )=-\frac{1}{n}\sum_{i=1}^{n}w_{y_{i}}\log p_{\theta}\left(y_{i}\mid x_{i}\right)"
        );
        assert_eq!(Formula::read(&loss.latex()).as_ref(), Ok(&loss), "what is written is read again");
        assert_eq!(loss.plain(), "L(θ)=-1/nΣi=1nwyilog pθ(yi|xi)");
        assert!(loss.is_tall());
        let typst = loss.typst().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            typst,
            r"cal( L ) \( theta \) = - frac(1, n ) sum_( i = 1)^( n ) w_( y_( i ) ) log p_( theta ) lr(\( y_( i ) divides x_( i ) \) )"
        );
    }

    #[test]
    fn what_is_not_understood_is_told() {
        let error = |source: &str| Formula::read(source).expect_err(source);
        assert_eq!(error(r"\input{x}"), r"'\input' is not understood in a formula");
        assert_eq!(error("{a"), "the brace after '{' is never closed");
        assert_eq!(error("a}"), "'}' closes nothing: write \\} for the sign itself");
        assert_eq!(error("x_1_2"), "two '_' follow one another: put what belongs together in braces");
        assert_eq!(error("x^^M"), "'^' has nothing before it");
        assert_eq!(error("%"), "'%' is not understood in a formula");
        assert_eq!(error(""), "the formula is empty");
        assert_eq!(error(r"\text{a\b}"), r"'\text{a\b}' can hold letters, digits, spaces, hyphens, dots and commas");
        assert!(error(&"{".repeat(100_000)).contains("nested more than"));
        assert!(error(&r"\sqrt".repeat(100_000)).contains("nested more than"));
        assert_eq!(error(r"\left(a"), r"'\left' has no '\right' after it");
    }
}
