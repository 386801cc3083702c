//! Numbers of rows that are never given twice, in tables with AUTOINCREMENT, and pages by them.

use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Error, QueryBuilder, Row, Sqlite, SqliteConnection};

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

/// At most `limit` rows of a query that asks for one more; and the number of the last where more
/// follow.
pub async fn numbered_page(
    readers: &SqlitePool,
    mut query: QueryBuilder<Sqlite>,
    limit: usize,
    column: &'static str,
) -> Result<(Vec<SqliteRow>, Option<u64>), Error> {
    let mut rows = query.build().fetch_all(readers).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = match rows.last() {
        Some(last) if more => u64::try_from(last.try_get::<i64, _>(column)?).ok(),
        _ => None,
    };
    Ok((rows, next))
}
