package shop.gateway.stock;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** A customer looks at what can be bought. */
@RestController
@RequestMapping("/api/stock")
class StockController {

	private final RestClient orders;

	StockController(RestClient orders) {
		this.orders = orders;
	}

	@GetMapping("/{sku}")
	Stock bySku(@PathVariable String sku) {
		return this.orders.get().uri("/stock/{sku}", sku).retrieve().body(Stock.class);
	}

	record Stock(String sku, int available, long priceCents) {
	}

}
