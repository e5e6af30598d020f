//! The project's files as the house rules see them: code without its comments and strings, functions with their lengths.

use std::fs;
use std::path::{Path, PathBuf};

/// One text file of the project.
pub struct Source {
    /// Relative to the project's root, with `/`.
    pub path: String,
    pub text: String,
    /// The text with comments and the insides of strings blanked; only for Rust files.
    pub code: String,
}

/// One function and how many lines it has.
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file below a folder of the project, in the order of their paths.
pub fn files_below(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    gather(&root().join(folder), &mut found);
    found.sort_by(|a: &Source, b: &Source| a.path.cmp(&b.path));
    found
}

pub fn rust_below(folder: &str) -> Vec<Source> {
    files_below(folder).into_iter().filter(|source| source.path.ends_with(".rs")).collect()
}

fn gather(place: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(place) else {
        found.extend(read(place));
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.') && name != ".ci";
        if !hidden && name != "target" {
            gather(&entry.path(), found);
        }
    }
}

fn read(place: &Path) -> Option<Source> {
    // A file that is not text has no house rules.
    let text = fs::read_to_string(place).ok()?;
    let path = place.strip_prefix(root()).ok()?.to_string_lossy().replace('\\', "/");
    Some(Source::of(&path, &text))
}

impl Source {
    pub fn of(path: &str, text: &str) -> Source {
        let code = if path.ends_with(".rs") { blanked(text) } else { String::new() };
        Source { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// The room of a file below `src/`: `src/store/fact.rs` and `src/store.rs` are in `store`.
    pub fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let first = inside.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }

    /// Lines of code in which `word` stands as whole path segments, counted from 1.
    pub fn lines_naming(&self, word: &str) -> Vec<usize> {
        let stands = |line: &str| line.match_indices(word).any(|(at, _)| is_whole(line, at, word.len()));
        self.code.lines().enumerate().filter(|(_, line)| stands(line)).map(|(index, _)| index + 1).collect()
    }

    /// The rooms named by `crate::room`, also within `crate::{a, b::c}`, each with its line.
    pub fn rooms_named(&self) -> Vec<(String, usize)> {
        let mut named = Vec::new();
        for (at, prefix) in self.code.match_indices("crate::") {
            if !is_whole(&self.code, at, prefix.len() - 2) {
                continue;
            }
            let line = line_of(&self.code, at);
            let rest = &self.code[at + prefix.len()..];
            match rest.strip_prefix('{') {
                Some(group) => named.extend(heads_of_group(group).into_iter().map(|room| (room, line))),
                None => named.push((first_word(rest), line)),
            }
        }
        named
    }

    /// Every function with its length, bodies included.
    pub fn functions(&self) -> Vec<Function> {
        let starts = self.code.match_indices("fn ").filter(|(at, _)| is_whole(&self.code, *at, 2));
        starts.filter_map(|(at, _)| function_at(&self.code, at)).collect()
    }
}

fn function_at(code: &str, at: usize) -> Option<Function> {
    let name = first_word(code[at + 3..].trim_start());
    let body = at + body_starts(&code[at..])?;
    let end = body + block_length(&code[body..])?;
    let (line, last) = (line_of(code, at), line_of(code, end));
    (!name.is_empty()).then(|| Function { name, line, lines: last - line + 1 })
}

/// Where the body's brace stands; nothing for a function without a body or a function type.
fn body_starts(code: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, sign) in code.char_indices() {
        match sign {
            '(' | '[' => depth += 1,
            ')' | ']' if depth == 0 => return None,
            ')' | ']' => depth -= 1,
            ';' | ',' | '}' | '=' if depth == 0 => return None,
            '{' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

fn block_length(code: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, sign) in code.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn heads_of_group(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut fresh) = (0, Vec::new(), true);
    for (at, sign) in group.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if fresh && is_word(sign) => {
                heads.push(first_word(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    heads
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|sign| is_word(*sign)).collect()
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

fn is_whole(text: &str, at: usize, len: usize) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[at + len..].chars().next();
    !before.is_some_and(|sign| is_word(sign) || sign == ':') && !after.is_some_and(is_word)
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The code with comments, strings and character literals blanked, line by line the same.
fn blanked(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let starts_word = !code.chars().next_back().is_some_and(is_word);
        let skipped = skipped_at(rest, starts_word);
        let (taken, after) = rest.split_at(skipped.unwrap_or(first.len_utf8()));
        match skipped {
            Some(_) => code.extend(taken.chars().map(|sign| if sign == '\n' { '\n' } else { ' ' })),
            None => code.push_str(taken),
        }
        rest = after;
    }
    code
}

/// How many bytes of comment or literal begin here.
fn skipped_at(rest: &str, starts_word: bool) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    if starts_word && let Some(raw) = rest.strip_prefix("br").or(rest.strip_prefix('r')) {
        let hashes = raw.chars().take_while(|sign| *sign == '#').count();
        if raw[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let opened = rest.len() - raw.len() + hashes + 1;
            return Some(rest[opened..].find(&close).map_or(rest.len(), |end| opened + end + close.len()));
        }
    }
    if let Some(string) = rest.strip_prefix('"') {
        return Some(1 + literal_length(string, '"'));
    }
    let inside = rest.strip_prefix('\'')?;
    let is_literal = inside.starts_with('\\') || inside.chars().nth(1) == Some('\'');
    is_literal.then(|| 1 + literal_length(inside, '\''))
}

fn literal_length(inside: &str, close: char) -> usize {
    let mut escaped = false;
    for (at, sign) in inside.char_indices() {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if sign == close => return at + 1,
            _ => {}
        }
    }
    inside.len()
}
