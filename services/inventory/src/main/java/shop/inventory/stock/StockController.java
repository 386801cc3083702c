package shop.inventory.stock;

import java.util.UUID;

import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** Stock is looked up and reserved. */
@RestController
class StockController {

	private static final Logger log = LoggerFactory.getLogger(StockController.class);

	private final Shelf shelf;

	StockController(Shelf shelf) {
		this.shelf = shelf;
	}

	@GetMapping("/stock/{sku}")
	Stock bySku(@PathVariable String sku) {
		return this.shelf.find(sku)
			.orElseThrow(() -> new ResponseStatusException(HttpStatus.NOT_FOUND, "no article " + sku));
	}

	@PostMapping("/reservations")
	@ResponseStatus(HttpStatus.CREATED)
	Reservation reserve(@Valid @RequestBody ReservationRequest request) {
		Stock stock = bySku(request.sku());
		if (!this.shelf.take(request.sku(), request.quantity())) {
			throw new ResponseStatusException(HttpStatus.CONFLICT, request.sku() + " is out of stock");
		}
		Reservation reservation = new Reservation(UUID.randomUUID().toString(), request.sku(), request.quantity(),
				stock.priceCents());
		log.info("reservation {} of {} x {} for order {}", reservation.id(), request.quantity(), request.sku(),
				request.order());
		return reservation;
	}

	record ReservationRequest(@NotBlank String order, @NotBlank String sku, @Min(1) @Max(20) int quantity) {
	}

	record Reservation(String id, String sku, int quantity, long priceCents) {
	}

}
