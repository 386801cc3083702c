package shop.callee;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

/** A callee on a real port of this machine that answers what the test says, or hangs up. */
public class Callee implements AutoCloseable {

	private static final int HANG_UP = -1;

	private final HttpServer server;

	private volatile int status;

	private volatile String body;

	public Callee() {
		this.server = onAnyPort();
		this.server.createContext("/", this::answer);
		this.server.start();
	}

	public String url() {
		return "http://127.0.0.1:" + this.server.getAddress().getPort();
	}

	public void answers(int status, String body) {
		this.status = status;
		this.body = body;
	}

	public void hangsUp() {
		this.status = HANG_UP;
	}

	private static HttpServer onAnyPort() {
		try {
			return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		}
		catch (IOException ex) {
			throw new UncheckedIOException("no port for the callee", ex);
		}
	}

	private void answer(HttpExchange exchange) throws IOException {
		try (exchange) {
			exchange.getRequestBody().readAllBytes();
			if (this.status == HANG_UP) {
				return;
			}
			byte[] bytes = this.body.getBytes(StandardCharsets.UTF_8);
			exchange.getResponseHeaders()
				.set("Content-Type", (this.status < 400) ? "application/json" : "application/problem+json");
			exchange.sendResponseHeaders(this.status, bytes.length);
			exchange.getResponseBody().write(bytes);
		}
	}

	@Override
	public void close() {
		this.server.stop(0);
	}

}
