//! Files in, project and findings out. No async; files come through [`files::Files`].
pub mod files;
pub mod hash;
pub mod model;
pub mod tree;
