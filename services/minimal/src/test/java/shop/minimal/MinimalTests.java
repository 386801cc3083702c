package shop.minimal;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.test.web.servlet.assertj.MockMvcTester;

import static org.assertj.core.api.Assertions.assertThat;

/** The documented ten lines are those of this application, and they are enough. */
@SpringBootTest(properties = "spring.test.metrics.export=true")
@AutoConfigureMockMvc
class MinimalTests {

	private static final Path PAGE = Path.of("../../docs/spring-boot.md");

	@Autowired
	private MockMvcTester mvc;

	@Test
	void prometheus_sees_buckets_with_service_and_version() {
		assertThat(this.mvc.get().uri("/hello")).hasStatusOk();
		assertThat(this.mvc.get().uri("/actuator/prometheus")).hasStatusOk()
			.bodyText()
			.containsPattern("http_server_requests_seconds_bucket\\{[^}]*service=\"minimal\",status=\"200\","
					+ "uri=\"/hello\",version=\"1.0.0\",le=\"1.0");
	}

	@Test
	void the_page_shows_exactly_the_ten_lines() throws Exception {
		List<String> lines = Files.readAllLines(Path.of("src/main/resources/application.yaml"));
		assertThat(lines).hasSize(10);
		String block = lines.stream().map((line) -> "    " + line).collect(Collectors.joining("\n"));
		assertThat(Files.readString(PAGE)).contains("\n\n" + block + "\n\n");
	}

	@Test
	void the_page_shows_the_dependencies() throws Exception {
		String pom = Files.readString(Path.of("pom.xml"));
		String page = Files.readString(PAGE);
		for (String artifact : List.of("spring-boot-starter-actuator", "micrometer-registry-prometheus")) {
			assertThat(pom).contains("<artifactId>" + artifact + "</artifactId>");
			assertThat(page).contains("<artifactId>" + artifact + "</artifactId>");
		}
	}

}
