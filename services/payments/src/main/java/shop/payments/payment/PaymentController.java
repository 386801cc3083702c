package shop.payments.payment;

import jakarta.validation.Valid;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Cards are charged. */
@RestController
@RequestMapping("/payments")
class PaymentController {

	private final Cashier cashier;

	PaymentController(Cashier cashier) {
		this.cashier = cashier;
	}

	@PostMapping
	@ResponseStatus(HttpStatus.CREATED)
	Payment charge(@Valid @RequestBody Charge charge) {
		return this.cashier.charge(charge);
	}

}
