//! Rows as version 1 of the schema had them, and how they become those of version 2.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

use super::body;
use super::incidents::Columns;
use super::seal::Seal;

/// Gives the incidents of version 1 the columns of version 2 and a seal over them. A row whose old
/// seal is broken keeps it: it doesn't fit version 2 either, so the row is found and said.
pub async fn reseal(connection: &mut SqliteConnection) -> Result<(), Error> {
    let rows = sqlx::query("SELECT * FROM incidents")
        .fetch_all(&mut *connection)
        .await?;
    for row in &rows {
        let found: Vec<u8> = row.try_get("seal")?;
        if seal(row).ok() != Some(found) {
            continue;
        }
        let id = row.try_get("id")?;
        let columns = body::read(row.try_get("body")?).and_then(|incident| {
            Columns::new(id, &incident).map_err(|error: serde_json::Error| error.to_string())
        });
        match columns {
            Ok(columns) => columns
                .save(connection)
                .await
                .map_err(|error| Error::Protocol(format!("{error}: incident #{id}")))?,
            Err(error) => tracing::error!(error, incident = id, "left an incident unread"),
        }
    }
    Ok(())
}

fn seal(row: &SqliteRow) -> Result<Vec<u8>, Error> {
    Ok(Seal::of("incidents")
        .number(row.try_get("id")?)
        .text(row.try_get("service")?)
        .text(row.try_get("status")?)
        .text(row.try_get("kind")?)
        .number(row.try_get("firing")?)
        .text(row.try_get("severity")?)
        .number(row.try_get("opened_ms")?)
        .number(row.try_get("last_seen_ms")?)
        .optional(row.try_get("ended_ms")?)
        .text(row.try_get("body")?)
        .finish())
}
