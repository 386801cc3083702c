package shop.payments.payment;

import java.util.Optional;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;

/** The payments of late, in the database. Older ones are deleted, so that days of load change nothing. */
@Repository
class PaymentStore {

	static final int KEPT = 2000;

	private final JdbcClient jdbc;

	PaymentStore(JdbcClient jdbc) {
		this.jdbc = jdbc;
	}

	void add(Payment payment) {
		this.jdbc.sql("insert into payments (id, order_id, amount_cents) values (?, ?, ?)")
			.params(payment.id(), payment.order(), payment.amountCents())
			.update();
		this.jdbc.sql("delete from payments where number <= (select max(number) from payments) - ?")
			.param(KEPT)
			.update();
	}

	Optional<Payment> findByOrder(String order) {
		return this.jdbc.sql("select id, order_id as \"order\", amount_cents from payments where order_id = ?")
			.param(order)
			.query(Payment.class)
			.optional();
	}

}
