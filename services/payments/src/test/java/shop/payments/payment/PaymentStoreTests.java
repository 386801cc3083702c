package shop.payments.payment;

import org.junit.jupiter.api.Test;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabase;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabaseBuilder;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabaseType;

import static org.assertj.core.api.Assertions.assertThat;

/** Days of load leave no more rows than an hour of it. */
class PaymentStoreTests {

	@Test
	void only_the_latest_payments_are_kept() {
		EmbeddedDatabase database = new EmbeddedDatabaseBuilder().setType(EmbeddedDatabaseType.H2)
			.addScript("schema.sql")
			.build();
		try {
			JdbcClient jdbc = JdbcClient.create(database);
			PaymentStore store = new PaymentStore(jdbc);
			for (int payment = 1; payment <= PaymentStore.KEPT + 50; payment++) {
				store.add(new Payment("p-" + payment, "o-" + payment, 950));
			}
			assertThat(jdbc.sql("select count(*) from payments").query(Integer.class).single())
				.isEqualTo(PaymentStore.KEPT);
			assertThat(store.findByOrder("o-50")).isEmpty();
			assertThat(store.findByOrder("o-51")).contains(new Payment("p-51", "o-51", 950));
		}
		finally {
			database.shutdown();
		}
	}

}
