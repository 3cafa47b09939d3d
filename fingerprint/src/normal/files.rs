//! What names a source file, so that the numbers after it are a place in it.

use super::text::Text;

/// Extensions that domain names end in, not files.
const DOMAINS: [&str; 17] = [
    "com",
    "org",
    "net",
    "io",
    "dev",
    "local",
    "internal",
    "cluster",
    "svc",
    "cloud",
    "co",
    "ai",
    "gov",
    "edu",
    "lan",
    "invalid",
    "localhost",
];

/// Files that have a name and no extension.
const FILES: [&str; 14] = [
    "Makefile",
    "GNUmakefile",
    "makefile",
    "Dockerfile",
    "Containerfile",
    "Rakefile",
    "Gemfile",
    "Jenkinsfile",
    "Justfile",
    "justfile",
    "Procfile",
    "Vagrantfile",
    "BUILD",
    "WORKSPACE",
];

/// Whether what ends at `end` names a source file, so that numbers after it are a place in it.
pub(super) fn names_a_file(text: Text<'_>, end: usize) -> bool {
    if text.at(end.wrapping_sub(1)) == b'>' || text.at(end.wrapping_sub(1)) == b']' {
        let open = text.skip_back(end - 1, 24, |byte| byte.is_ascii_alphabetic());
        let name = text.part(open, end - 1);
        return [
            "anonymous",
            "stdin",
            "string",
            "eval",
            "unknown",
            "input",
            "console",
            "module",
            "command",
        ]
        .contains(&name)
            || (name == "line" && text.at(end - 1) == b']');
    }
    let start = text.skip_back(end, 200, |byte| {
        byte.is_ascii_alphanumeric() || b"_.-/\\@+$~#%".contains(&byte) || byte >= 0x80
    });
    let token = text.part(start, end);
    let name = token.rsplit(['/', '\\']).next().unwrap_or(token);
    if FILES.contains(&name) || name == "-" || name == "stdin" {
        return true;
    }
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    let fits = (1..=6).contains(&extension.len())
        && extension.starts_with(|c: char| c.is_ascii_alphabetic())
        && extension
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
    let is_domain = DOMAINS.contains(&extension) && !token.contains('/');
    fits && !stem.is_empty() && !is_domain
}

/// Whether the name that contains `at` ends in the extension of a source file, so that its `\` separate folders.
pub(super) fn is_windows_source(text: Text<'_>, at: usize) -> bool {
    let inside =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'\\');
    let end = text.skip(at, inside);
    let name = text.part(text.skip_back(at, 200, inside), end);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let known = [
        "rs", "py", "js", "ts", "tsx", "jsx", "mjs", "cs", "vb", "fs", "c", "h", "cc", "cpp",
        "hpp", "cxx", "java", "kt", "go", "rb", "php", "swift", "scala", "ps1", "csproj", "sln",
        "vcxproj",
    ];
    known.contains(&extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_no_files() {
        let names = |text: &str| names_a_file(Text::new(text), text.len());
        for file in [
            "a.rs",
            "src/x.test.ts",
            "Makefile",
            "<anonymous>",
            "at A.java",
            "C:\\a.cs",
            "x/y.org",
        ] {
            assert!(names(file), "{file}");
        }
        for other in [
            "example.com",
            "localhost",
            "acme/api",
            "code",
            "10.0.0.5",
            "v1.2",
            "python",
        ] {
            assert!(!names(other), "{other}");
        }
    }
}
