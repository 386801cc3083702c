//! Numbers of rows that are never given twice, in tables with AUTOINCREMENT.

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::DatabaseError;

/// The number of the next row of a table. Chosen here, as the row's seal covers it; SQLite notes it
/// as given once the row is there.
pub async fn next_number(
    connection: &mut SqliteConnection,
    table: &'static str,
    column: &'static str,
) -> Result<i64, DatabaseError> {
    let select = AssertSqlSafe(format!(
        "SELECT 1 + MAX(
             COALESCE((SELECT seq FROM sqlite_sequence WHERE name = '{table}'), 0),
             COALESCE((SELECT MAX({column}) FROM {table}), 0))"
    ));
    sqlx::query_scalar(select)
        .fetch_one(connection)
        .await
        .map_err(DatabaseError::query("choose the number of a row"))
}
