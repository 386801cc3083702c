package shop.orders.order;

import java.util.UUID;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.stereotype.Service;
import org.springframework.web.client.RestClient;

/**
 * Places an order: reserve, charge, keep. No database connection is held while others are asked, so that a slow
 * callee doesn't empty the pool. A reservation without payment is forgotten: the stock is refilled anyway.
 */
@Service
class OrderDesk {

	private static final Logger log = LoggerFactory.getLogger(OrderDesk.class);

	private final RestClient inventory;

	private final RestClient payments;

	private final OrderStore store;

	OrderDesk(RestClient inventory, RestClient payments, OrderStore store) {
		this.inventory = inventory;
		this.payments = payments;
		this.store = store;
	}

	Order place(NewOrder newOrder) {
		String id = UUID.randomUUID().toString();
		Reservation reservation = reserve(id, newOrder);
		long amountCents = reservation.priceCents() * newOrder.quantity();
		Payment payment = charge(id, amountCents, newOrder.card());
		Order order = new Order(id, newOrder.sku(), newOrder.quantity(), amountCents, payment.id());
		this.store.add(order);
		log.info("order {} placed: {} x {} for {} cents", id, order.quantity(), order.sku(), amountCents);
		return order;
	}

	private Reservation reserve(String order, NewOrder newOrder) {
		ReservationRequest request = new ReservationRequest(order, newOrder.sku(), newOrder.quantity());
		return this.inventory.post().uri("/reservations").body(request).retrieve().body(Reservation.class);
	}

	private Payment charge(String order, long amountCents, String card) {
		Charge charge = new Charge(order, amountCents, card);
		return this.payments.post().uri("/payments").body(charge).retrieve().body(Payment.class);
	}

	private record ReservationRequest(String order, String sku, int quantity) {
	}

	private record Reservation(long priceCents) {
	}

	private record Charge(String order, long amountCents, String card) {
	}

	private record Payment(String id) {
	}

}
