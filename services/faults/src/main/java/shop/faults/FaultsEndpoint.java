package shop.faults;

import java.util.List;
import java.util.function.Consumer;

import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.WebEndpoint;

/**
 * {@code /actuator/faults}: GET lists, {@code POST /actuator/faults/{kind}} switches on and DELETE switches off.
 * A fault that isn't known or can't be had here is answered with 400, the reason and what is known.
 */
@WebEndpoint(id = "faults")
public class FaultsEndpoint {

	private final String service;

	private final String version;

	private final List<Fault> faults;

	FaultsEndpoint(String service, String version, List<Fault> faults) {
		this.service = service;
		this.version = version;
		this.faults = List.copyOf(faults);
	}

	@ReadOperation
	public Listing list() {
		return new Listing(this.service, this.version,
				this.faults.stream().filter(Fault::isOn).map(Fault::kind).toList(), known());
	}

	@WriteOperation
	public WebEndpointResponse<?> switchOn(@Selector String kind) {
		return change(kind, Fault::switchOn);
	}

	@DeleteOperation
	public WebEndpointResponse<?> switchOff(@Selector String kind) {
		return change(kind, Fault::switchOff);
	}

	private WebEndpointResponse<?> change(String kind, Consumer<Fault> change) {
		try {
			change.accept(find(kind));
			return new WebEndpointResponse<>(list());
		}
		catch (FaultRefusedException ex) {
			return new WebEndpointResponse<>(new Refusal(ex.getMessage(), known()),
					WebEndpointResponse.STATUS_BAD_REQUEST);
		}
	}

	private Fault find(String kind) {
		return this.faults.stream()
			.filter((fault) -> fault.kind().equals(kind))
			.findFirst()
			.orElseThrow(() -> new FaultRefusedException("no fault is called " + kind));
	}

	private List<String> known() {
		return this.faults.stream().map(Fault::kind).toList();
	}

	/** What is on now, and what could be. */
	public record Listing(String service, String version, List<String> on, List<String> known) {
	}

	/** Why not, and what could be instead. */
	public record Refusal(String error, List<String> known) {
	}

}
