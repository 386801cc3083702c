package shop.gateway.checkout;

import jakarta.validation.Valid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** A customer buys something. */
@RestController
@RequestMapping("/api/checkout")
class CheckoutController {

	private static final Logger log = LoggerFactory.getLogger(CheckoutController.class);

	private final RestClient orders;

	CheckoutController(RestClient orders) {
		this.orders = orders;
	}

	@PostMapping
	@ResponseStatus(HttpStatus.CREATED)
	Receipt checkOut(@Valid @RequestBody Checkout checkout) {
		Receipt receipt = this.orders.post().uri("/orders").body(checkout).retrieve().body(Receipt.class);
		log.info("checkout {} done, payment {}", receipt.id(), receipt.payment());
		return receipt;
	}

}
