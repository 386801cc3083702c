//! Nothing is lost: kill −9 at any moment.
