package shop.orders.stock;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** What could be ordered, as inventory says. */
@RestController
@RequestMapping("/stock")
class StockController {

	private final RestClient inventory;

	StockController(RestClient inventory) {
		this.inventory = inventory;
	}

	@GetMapping("/{sku}")
	Stock bySku(@PathVariable String sku) {
		return this.inventory.get().uri("/stock/{sku}", sku).retrieve().body(Stock.class);
	}

	record Stock(String sku, int available, long priceCents) {
	}

}
