package shop.orders.order;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;

/** An order that is to be placed. */
record NewOrder(@NotNull @Pattern(regexp = "[a-z]+-[0-9]{3}") String sku, @Min(1) @Max(20) int quantity,
		@NotNull @Pattern(regexp = "card-[0-9]{4,8}") String card) {
}
