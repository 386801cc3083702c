package shop.minimal;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** One endpoint, and the ten lines of docs/spring-boot.md in application.yaml. Nothing else. */
@SpringBootApplication
@RestController
public class MinimalApplication {

	public static void main(String[] args) {
		SpringApplication.run(MinimalApplication.class, args);
	}

	@GetMapping("/hello")
	public String hello() {
		return "hello";
	}

}
