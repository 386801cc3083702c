package shop.orders.order;

import jakarta.validation.Valid;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** Orders are placed and looked up. */
@RestController
@RequestMapping("/orders")
class OrderController {

	private final OrderDesk desk;

	private final OrderStore store;

	OrderController(OrderDesk desk, OrderStore store) {
		this.desk = desk;
		this.store = store;
	}

	@PostMapping
	@ResponseStatus(HttpStatus.CREATED)
	Order place(@Valid @RequestBody NewOrder newOrder) {
		return this.desk.place(newOrder);
	}

	@GetMapping("/{id}")
	Order byId(@PathVariable String id) {
		return this.store.find(id)
			.orElseThrow(() -> new ResponseStatusException(HttpStatus.NOT_FOUND, "no order " + id));
	}

}
