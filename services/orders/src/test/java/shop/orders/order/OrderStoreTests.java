package shop.orders.order;

import org.junit.jupiter.api.Test;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabase;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabaseBuilder;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabaseType;

import static org.assertj.core.api.Assertions.assertThat;

/** Days of load leave no more rows than an hour of it. */
class OrderStoreTests {

	@Test
	void only_the_latest_orders_are_kept() {
		EmbeddedDatabase database = new EmbeddedDatabaseBuilder().setType(EmbeddedDatabaseType.H2)
			.addScript("schema.sql")
			.build();
		try {
			JdbcClient jdbc = JdbcClient.create(database);
			OrderStore store = new OrderStore(jdbc);
			for (int order = 1; order <= OrderStore.KEPT + 50; order++) {
				store.add(new Order("o-" + order, "book-001", 1, 950, "p-" + order));
			}
			assertThat(jdbc.sql("select count(*) from orders").query(Integer.class).single()).isEqualTo(OrderStore.KEPT);
			assertThat(store.find("o-50")).isEmpty();
			assertThat(store.find("o-51")).isPresent();
		}
		finally {
			database.shutdown();
		}
	}

}
