//! Files in, project and findings out. No async; files come through [`files::Files`].
pub mod dotenv;
pub mod files;
pub mod interpolate;
pub mod model;
pub mod tree;
pub mod yaml;
