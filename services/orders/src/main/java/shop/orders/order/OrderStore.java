package shop.orders.order;

import java.util.Optional;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;

/** The orders of late, in the database. Older ones are deleted, so that days of load change nothing. */
@Repository
class OrderStore {

	static final int KEPT = 2000;

	private final JdbcClient jdbc;

	OrderStore(JdbcClient jdbc) {
		this.jdbc = jdbc;
	}

	void add(Order order) {
		this.jdbc.sql("insert into orders (id, sku, quantity, amount_cents, payment) values (?, ?, ?, ?, ?)")
			.params(order.id(), order.sku(), order.quantity(), order.amountCents(), order.payment())
			.update();
		this.jdbc.sql("delete from orders where number <= (select max(number) from orders) - ?").param(KEPT).update();
	}

	Optional<Order> find(String id) {
		return this.jdbc.sql("select id, sku, quantity, amount_cents, payment from orders where id = ?")
			.param(id)
			.query(Order.class)
			.optional();
	}

}
