//! The codes of findings about compose files; each has a page `docs/diagnostics/<code>.md`.

use crate::diagnostics::Code;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: Code = Code($text);)*
        /// Every code of this layer.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    /// A key that the specification does not know.
    UNKNOWN_KEY = "unknown-key";
    /// A value of another kind than the specification wants.
    WRONG_TYPE = "wrong-type";
    /// A value outside what the specification allows.
    WRONG_VALUE = "wrong-value";
    /// A key that must be there is not.
    MISSING_KEY = "missing-key";
    /// The same item twice in a list of unique items.
    REPEATED_ITEM = "repeated-item";
    /// A value that cannot be read as what it stands for: a port, a size, a duration.
    INVALID_VALUE = "invalid-value";
    /// Two files say things about one attribute that cannot be merged.
    CANNOT_MERGE = "cannot-merge";
    /// A file that cannot be read.
    UNREADABLE_FILE = "unreadable-file";
    /// No compose file was found.
    NO_COMPOSE_FILE = "no-compose-file";
    /// A file, or all files, say nothing.
    EMPTY_COMPOSE_FILE = "empty-compose-file";
    /// Several files with names that are looked for.
    SEVERAL_COMPOSE_FILES = "several-compose-files";
    /// The name of the project is missing or not allowed.
    INVALID_PROJECT_NAME = "invalid-project-name";
    /// The name comes from a symbolic link.
    NAME_FROM_SYMLINK = "name-from-symlink";
    /// A file that lies elsewhere (git, OCI).
    REMOTE_FILE = "remote-file";
    /// A fetched file names a file outside of its repository.
    OUTSIDE_REPOSITORY = "outside-repository";
    /// `extends` names what is not there, or itself.
    INVALID_EXTENDS = "invalid-extends";
    /// `include` names itself, or what it brings is there already.
    INVALID_INCLUDE = "invalid-include";
    /// An attribute that is no longer used.
    OBSOLETE_KEY = "obsolete-key";
    /// A word for a truth value that YAML 1.2 does not know.
    OLD_BOOLEAN = "old-boolean";
    /// A name that nothing has.
    UNDEFINED_REFERENCE = "undefined-reference";
    /// Services that wait for each other in a circle.
    DEPENDENCY_CYCLE = "dependency-cycle";
    /// Attributes that exclude each other, or say different things about the same.
    CONFLICT = "conflicting-attributes";
    /// A service without image, build or provider.
    NO_IMAGE = "no-image";
    /// Two things are mounted at one place.
    REPEATED_TARGET = "repeated-target";
    /// Two containers with the same name.
    REPEATED_CONTAINER_NAME = "repeated-container-name";
    /// A service that does not exist was asked for.
    NO_SUCH_SERVICE = "no-such-service";
    /// More than a project may hold.
    TOO_LARGE = "too-large";
    /// A setting in the environment that cannot be understood.
    INVALID_SETTING = "invalid-setting";
}
