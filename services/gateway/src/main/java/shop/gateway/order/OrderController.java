package shop.gateway.order;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** A customer looks at an order. */
@RestController
@RequestMapping("/api/orders")
class OrderController {

	private final RestClient orders;

	OrderController(RestClient orders) {
		this.orders = orders;
	}

	@GetMapping("/{id}")
	Order byId(@PathVariable String id) {
		return this.orders.get().uri("/orders/{id}", id).retrieve().body(Order.class);
	}

	record Order(String id, String sku, int quantity, long amountCents, String payment) {
	}

}
