package shop.faults;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import com.zaxxer.hikari.HikariDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code pool-exhausted}: one job takes every connection of the pool and keeps it, so that requests wait for the
 * pool's connection timeout and fail with the pool's own exception.
 */
class PoolExhausted extends BackgroundFault {

	private static final Logger log = LoggerFactory.getLogger(PoolExhausted.class);

	private final HikariDataSource pool;

	PoolExhausted(HikariDataSource pool) {
		super("pool-exhausted", "reconciliation");
		this.pool = pool;
	}

	@Override
	void run() throws InterruptedException {
		List<Connection> connections = new ArrayList<>();
		Pace words = new Pace(Duration.ofSeconds(7));
		try {
			while (!Thread.currentThread().isInterrupted()) {
				if (connections.size() < this.pool.getMaximumPoolSize()) {
					takeOne(connections);
				}
				else {
					if (words.isDue()) {
						log.warn("reconciliation keeps {} of {} connections open, waiting for the ledger",
								connections.size(), this.pool.getMaximumPoolSize());
					}
					Thread.sleep(200);
				}
			}
		}
		finally {
			connections.forEach(PoolExhausted::giveBack);
		}
	}

	/** While requests use the others, the pool's timeout may pass; then the next round asks again. */
	private void takeOne(List<Connection> connections) {
		try {
			connections.add(this.pool.getConnection());
		}
		catch (SQLException ex) {
			if (ex.getCause() instanceof InterruptedException) {
				Thread.currentThread().interrupt();
			}
		}
	}

	private static void giveBack(Connection connection) {
		try {
			connection.close();
		}
		catch (SQLException ex) {
			log.warn("connection could not be given back", ex);
		}
	}

}
