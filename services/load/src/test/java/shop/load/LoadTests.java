package shop.load;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

import com.sun.net.httpserver.HttpServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** Customers come whatever the shop does, in the mix that is promised. */
class LoadTests {

	private static final Duration PATIENCE = Duration.ofSeconds(20);

	@Test
	void customers_go_on_coming_while_the_shop_fails_is_gone_and_is_back() throws Exception {
		AtomicInteger requests = new AtomicInteger();
		HttpServer shop = shop(0, requests);
		int port = shop.getAddress().getPort();
		Thread load = load("http://127.0.0.1:" + port, "--rate", "100", "--factor", "1");
		try {
			await().atMost(PATIENCE).until(() -> requests.get() > 20);
			shop.stop(0);
			int atTheEnd = requests.get();
			Thread.sleep(300);
			shop = shop(port, requests);
			await().atMost(PATIENCE).until(() -> requests.get() > atTheEnd + 20);
		}
		finally {
			load.interrupt();
			shop.stop(0);
		}
		load.join(PATIENCE.toMillis());
		assertThat(load.isAlive()).isFalse();
	}

	@Test
	void hardly_anybody_comes_while_the_control_file_says_idle(@TempDir Path folder) throws Exception {
		AtomicInteger requests = new AtomicInteger();
		HttpServer shop = shop(0, requests);
		Path control = Files.writeString(folder.resolve("control"), "idle\n");
		Thread load = load("http://127.0.0.1:" + shop.getAddress().getPort(), "--rate", "200", "--factor", "1",
				"--control", control.toString());
		try {
			Thread.sleep(2500);
			assertThat(requests.get()).isBetween(1, 4);
			Files.writeString(control, "run\n");
			await().atMost(PATIENCE).until(() -> requests.get() > 50);
		}
		finally {
			load.interrupt();
			shop.stop(0);
		}
	}

	@Test
	void four_of_ten_check_out_and_one_of_a_hundred_asks_wrongly() {
		Customers customers = new Customers(URI.create("http://127.0.0.1:1"), new Random(9));
		int checkouts = 0;
		int unknown = 0;
		for (int customer = 0; customer < 10_000; customer++) {
			HttpRequest request = customers.next();
			if (request.method().equals("POST")) {
				checkouts++;
			}
			if (request.uri().getPath().endsWith("book-999")) {
				unknown++;
			}
		}
		assertThat(checkouts).isBetween(3_800, 4_200);
		assertThat(unknown).isBetween(10, 60);
	}

	/** Answers 500 to everything. */
	private static HttpServer shop(int port, AtomicInteger requests) throws IOException {
		HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
		server.createContext("/", (exchange) -> {
			requests.incrementAndGet();
			exchange.getRequestBody().readAllBytes();
			exchange.sendResponseHeaders(500, -1);
			exchange.close();
		});
		server.start();
		return server;
	}

	private static Thread load(String... arguments) throws IOException {
		Load load = new Load(Arguments.parse(arguments), Curve.ofTheShop());
		Thread thread = new Thread(() -> {
			try {
				load.run();
			}
			catch (InterruptedException ex) {
				// The test is over.
			}
		});
		thread.start();
		return thread;
	}

}
