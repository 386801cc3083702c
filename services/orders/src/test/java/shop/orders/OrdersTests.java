package shop.orders;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import shop.callee.Callee;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.micrometer.metrics.test.autoconfigure.AutoConfigureMetrics;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.http.MediaType;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.servlet.assertj.MockMvcTester;
import org.springframework.test.web.servlet.assertj.MvcTestResult;

import static org.assertj.core.api.Assertions.assertThat;

/** The whole service with its database, against callees on real ports. */
@SpringBootTest
@AutoConfigureMockMvc
@AutoConfigureMetrics
@ExtendWith(OutputCaptureExtension.class)
class OrdersTests {

	private static final Callee inventory = new Callee();

	private static final Callee payments = new Callee();

	@Autowired
	private MockMvcTester mvc;

	@Autowired
	private JdbcClient jdbc;

	@DynamicPropertySource
	static void addresses(DynamicPropertyRegistry registry) {
		registry.add("shop.inventory.url", inventory::url);
		registry.add("shop.payments.url", payments::url);
	}

	@AfterAll
	static void close() {
		inventory.close();
		payments.close();
	}

	@Test
	void an_order_is_reserved_paid_kept_and_found_again() throws Exception {
		inventory.answers(201, "{\"id\":\"r-1\",\"priceCents\":950}");
		payments.answers(201, "{\"id\":\"p-1\"}");
		MvcTestResult placed = place("book-001", 2);
		assertThat(placed).hasStatus(201).bodyJson().extractingPath("$.amountCents").isEqualTo(1900);
		String order = placed.getResponse().getContentAsString();
		String id = order.replaceAll(".*\"id\":\"([^\"]+)\".*", "$1");
		assertThat(this.mvc.get().uri("/orders/" + id)).hasStatusOk().bodyJson().isStrictlyEqualTo(order);
	}

	@Test
	void an_order_nobody_placed_is_not_found() {
		assertThat(this.mvc.get().uri("/orders/none")).hasStatus(404);
	}

	@Test
	void an_order_without_a_card_is_refused() {
		assertThat(this.mvc.post()
			.uri("/orders")
			.contentType(MediaType.APPLICATION_JSON)
			.content("{\"sku\":\"book-001\",\"quantity\":1}")).hasStatus(400)
			.bodyJson()
			.extractingPath("$.errors[0]")
			.asString()
			.startsWith("card ");
	}

	@Test
	void what_is_out_of_stock_is_refused_and_not_kept() {
		long before = orders();
		inventory.answers(409, "{\"status\":409,\"detail\":\"book-000 is out of stock\"}");
		assertThat(place("book-000", 1)).hasStatus(409);
		assertThat(orders()).isEqualTo(before);
	}

	@Test
	void a_payment_that_fails_is_502_one_error_and_no_order(CapturedOutput log) {
		long before = orders();
		inventory.answers(201, "{\"id\":\"r-1\",\"priceCents\":950}");
		payments.answers(500, "{\"status\":500}");
		assertThat(place("book-001", 1)).hasStatus(502);
		assertThat(log.getOut()).containsOnlyOnce(" ERROR ").contains("callee failed with 500 during POST /orders");
		assertThat(orders()).isEqualTo(before);
	}

	@Test
	void an_inventory_that_hangs_up_is_503() {
		inventory.hangsUp();
		assertThat(this.mvc.get().uri("/stock/book-001")).hasStatus(503);
	}

	@Test
	void prometheus_sees_buckets_pool_service_and_version() {
		inventory.answers(200, "{\"sku\":\"book-001\",\"available\":7,\"priceCents\":950}");
		assertThat(this.mvc.get().uri("/stock/book-001")).hasStatusOk();
		assertThat(this.mvc.get().uri("/actuator/prometheus")).hasStatusOk()
			.bodyText()
			.containsPattern("http_server_requests_seconds_bucket\\{[^}]*service=\"orders\"[^}]*version=\"1.0.0\"[^}]*le=")
			.containsPattern("hikaricp_connections_max\\{pool=\"orders\",service=\"orders\",version=\"1.0.0\"} 5");
	}

	private MvcTestResult place(String sku, int quantity) {
		return this.mvc.post()
			.uri("/orders")
			.contentType(MediaType.APPLICATION_JSON)
			.content("{\"sku\":\"%s\",\"quantity\":%d,\"card\":\"card-1234\"}".formatted(sku, quantity))
			.exchange();
	}

	private long orders() {
		return this.jdbc.sql("select count(*) from orders").query(Long.class).single();
	}

}
